/* Sends clients under test as many messages as they ask for, as fast as they take them. */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* Byte i of the n-th message of a connection is n % PERIOD + i. At least so much of it is sent at once. */
enum { PERIOD = 16, RING_BYTES = 512 * 1024 };

struct source {
  const struct options *options;
  uint8_t *ring; /* whole periods of frames */
  size_t ring_bytes, frame_bytes;
  uint64_t messages;
};

static size_t write_header(uint8_t *to, size_t size) {
  to[0] = 0x82;
  if (size < 126) {
    to[1] = (uint8_t)size;
    return 2;
  }
  unsigned bytes = size < 65536 ? 2 : 8;
  to[1] = bytes == 2 ? 126 : 127;
  for (unsigned i = 0; i < bytes; i++) to[2 + i] = (uint8_t)((uint64_t)size >> 8 * (bytes - 1 - i));
  return 2 + bytes;
}

static void make_ring(struct source *source) {
  uint8_t header[10];
  size_t size = source->options->size, header_bytes = write_header(header, size);
  source->frame_bytes = header_bytes + size;
  size_t period_bytes = source->frame_bytes * PERIOD, periods = RING_BYTES / period_bytes + 1;
  source->ring_bytes = periods * period_bytes;
  uint8_t *at = source->ring = allocate(source->ring_bytes);
  for (size_t n = 0; n < periods * PERIOD; n++, at += source->frame_bytes) {
    memcpy(at, header, header_bytes);
    for (size_t i = 0; i < size; i++) at[header_bytes + i] = (uint8_t)(n % PERIOD + i);
  }
}

static void pump(void *state, struct peer *peer) {
  const struct source *source = state;
  while (peer->sent < peer->wanted) {
    size_t from = (size_t)(peer->sent % source->ring_bytes), length = source->ring_bytes - from;
    if (length > peer->wanted - peer->sent) length = (size_t)(peer->wanted - peer->sent);
    ssize_t n = send(peer->fd, source->ring + from, length, 0);
    if (n < 0 && errno == EAGAIN) {
      if (!peer->is_full) watch_room(peer, true);
      peer->is_full = true;
      return;
    }
    if (n < 0) die("send: %s", strerror(errno));
    peer->sent += (uint64_t)n;
  }
  if (peer->is_full) watch_room(peer, false);
  peer->is_full = false;
}

/* A request is a number in decimal. */
static void ask(void *state, struct peer *peer, const struct piece *piece) {
  struct source *source = state;
  for (size_t i = 0; i < piece->length; i++) {
    uint8_t digit = (uint8_t)((piece->bytes[i] ^ piece->key[(piece->frame_offset + i) & 3]) - '0');
    if (digit > 9 || peer->messages > 1000000) die("a client asks for something that is no small number");
    peer->messages = peer->messages * 10 + digit;
  }
  if (!piece->ends_message) return;
  peer->wanted += peer->messages * source->frame_bytes;
  source->messages += peer->messages;
  peer->messages = 0;
  pump(source, peer);
}

/* Runs until stdin ends, or the time is over. */
int run_source(const struct options *options) {
  struct source source = {.options = options};
  make_ring(&source);
  serve(options, &(struct service){.state = &source, .piece = ask, .room = pump});
  printf("{\"event\":\"result\",\"messages\":%llu,\"cpuSeconds\":%.6f}\n", (unsigned long long)source.messages, cpu_seconds());
  return 0;
}
