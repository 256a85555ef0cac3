/* Counts the messages of clients under test, and answers every n-th one of a connection with one byte. */
#include "bench.h"

#include <stdio.h>

struct sink {
  const struct options *options;
  uint64_t messages, verified;
};

/* The clients' payload is the bytes 0, 1, 2, …: unmasked and compared. */
static void compare(struct sink *sink, const struct peer *peer, const struct piece *piece) {
  if (piece->offset + piece->length > sink->options->size) die("a message is longer than expected");
  if (piece->ends_message && piece->offset + piece->length < sink->options->size) die("a message is shorter than expected");
  unsigned every = sink->options->verify_every;
  if (!every || peer->messages % every) return;
  for (size_t i = 0; i < piece->length; i++) {
    uint8_t byte = piece->bytes[i] ^ piece->key[(piece->frame_offset + i) & 3];
    if (byte != (uint8_t)(piece->offset + i)) die("wrong content in message %llu", (unsigned long long)peer->messages);
  }
  if (piece->ends_message) sink->verified++;
}

static void take(void *state, struct peer *peer, const struct piece *piece) {
  static const uint8_t ANSWER[] = {0x82, 0x01, 0x06};
  struct sink *sink = state;
  compare(sink, peer, piece);
  if (!piece->ends_message) return;
  sink->messages++;
  if (++peer->messages % (uint64_t)sink->options->in_flight == 0) answer(peer, ANSWER, sizeof ANSWER);
}

/* Runs until stdin ends, or the time is over. */
int run_sink(const struct options *options) {
  struct sink sink = {.options = options};
  serve(options, &(struct service){.state = &sink, .piece = take});
  printf("{\"event\":\"result\",\"messages\":%llu,\"verified\":%llu,\"cpuSeconds\":%.6f}\n", (unsigned long long)sink.messages,
         (unsigned long long)sink.verified, cpu_seconds());
  return 0;
}
