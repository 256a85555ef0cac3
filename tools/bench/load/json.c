/* JSON documents as applications send them: a few fields, and a list of records where there is room. */
#include "bench.h"

#include <stdio.h>
#include <string.h>

enum { ENDING_LEAST = 16, PART_MOST = 320 };

static const char *const WORDS[] = {
    "amber",  "anchor", "autumn", "basket", "bridge", "candle", "copper", "corner", "cotton", "dinner", "engine", "forest",
    "garden", "harbor", "island", "jacket", "kettle", "ladder", "market", "meadow", "needle", "orange", "paper",  "pocket",
    "river",  "saddle", "silver", "summer", "timber", "velvet", "window", "winter"};
static const char *const TYPES[] = {"order.paid", "order.sent", "user.login", "cart.added"};

static uint32_t below(uint32_t limit) { return (uint32_t)(next_random() % limit); }
static const char *word(void) { return WORDS[below(sizeof WORDS / sizeof *WORDS)]; }

static int make_record(char *to) {
  const char *given = word(), *family = word();
  return snprintf(to, PART_MOST,
                  "{\"id\":%u,\"name\":\"%s %s\",\"email\":\"%s.%s@example.com\",\"active\":%s,\"score\":%u.%02u,"
                  "\"tags\":[\"%s\",\"%s\"],\"seen\":\"2026-%02u-%02uT%02u:%02u:%02u.%03uZ\"}",
                  below(1000000), given, family, given, family, below(4) ? "true" : "false", below(1000), below(100), word(),
                  word(), 1 + below(12), 1 + below(28), below(24), below(60), below(60), below(1000));
}

/* Appends the text if the ending still fits behind it. */
static bool append(uint8_t *to, size_t *at, size_t size, const char *text, size_t length) {
  if (*at + length + ENDING_LEAST > size) return false;
  memcpy(to + *at, text, length);
  *at += length;
  return true;
}

void make_json(uint8_t *to, size_t size) {
  static const char NOTE[] = ",\"note\":\"", ITEMS[] = ",\"items\":[";
  char part[PART_MOST + 1];
  size_t at = 0;
  append(to, &at, size, part, (size_t)snprintf(part, sizeof part, "{\"id\":%u,\"type\":\"%s\"", 100000 + below(900000), TYPES[below(4)]));

  size_t length = (size_t)make_record(part);
  if (size > length && append(to, &at, size - length - 1, ITEMS, sizeof ITEMS - 1)) {
    do {
      if (!append(to, &at, size - 1, part, length)) break;
      part[0] = ',';
      length = 1 + (size_t)make_record(part + 1);
    } while (true);
    to[at++] = ']';
  }

  memcpy(to + at, NOTE, sizeof NOTE - 1);
  at += sizeof NOTE - 1;
  while (at < size - 2) {
    const char *text = word();
    while (*text && at < size - 2) to[at++] = (uint8_t)*text++;
    if (at < size - 2) to[at++] = ' ';
  }
  memcpy(to + at, "\"}", 2);
}
