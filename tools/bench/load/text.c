/* Text of exactly so many bytes, in ASCII or in several scripts. */
#include "bench.h"

static uint32_t below(uint32_t limit) { return (uint32_t)(next_random() % limit); }

void make_ascii(uint8_t *to, size_t size) {
  for (size_t at = 0; at < size; at++) to[at] = (uint8_t)(' ' + (uint8_t)next_random() % 95);
}

/* Half of the words are ASCII, as in chats and documents of most languages: names, numbers, markup. */
static const struct {
  uint32_t first, count;
} SCRIPTS[] = {
    {'a', 26},     {'A', 26},    {'0', 10},       {'a', 26},      {'a', 26},
    {0xe0, 23},                 /* Latin with accents */
    {0x430, 32},                /* Cyrillic */
    {0x3b1, 17},                /* Greek */
    {0x4e00, 0x5000},           /* Han */
    {0x3041, 83},               /* Hiragana */
    {0x905, 53},                /* Devanagari */
    {0x1f600, 64},              /* Emoji */
};

static size_t put_character(uint8_t *to, uint32_t code) {
  if (code < 0x80) {
    to[0] = (uint8_t)code;
    return 1;
  }
  size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  for (size_t i = more; i > 0; i--, code >>= 6) to[i] = (uint8_t)(0x80 | (code & 0x3f));
  to[0] = (uint8_t)((more == 1 ? 0xc0 : more == 2 ? 0xe0 : 0xf0) | code);
  return more + 1;
}

void make_mixed(uint8_t *to, size_t size) {
  size_t at = 0;
  while (at + 4 <= size) {
    uint32_t script = below(sizeof SCRIPTS / sizeof *SCRIPTS);
    for (uint32_t letters = 2 + below(7); letters > 0 && at + 4 <= size; letters--)
      at += put_character(to + at, SCRIPTS[script].first + below(SCRIPTS[script].count));
    if (at < size) to[at++] = ' ';
  }
  while (at < size) to[at++] = '.';
}
