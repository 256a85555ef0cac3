/* The messages that are sent, built before the clock starts. */
#include "bench.h"

#include <string.h>

enum { RING_BYTES = 512 * 1024, RING_MOST = 4096 };

static size_t header_size(size_t length) { return length < 126 ? 6 : length < 65536 ? 8 : 14; }

/* RFC 6455 §5.2, client to server. Returns the header's size. */
static size_t put_header(uint8_t *to, bool fin, unsigned opcode, size_t length, const uint8_t key[4]) {
  size_t at = 2;
  to[0] = (uint8_t)((fin ? 0x80 : 0) | opcode);
  if (length < 126) to[1] = (uint8_t)(0x80 | length);
  else {
    unsigned bytes = length < 65536 ? 2 : 8;
    to[1] = 0x80 | (bytes == 2 ? 126 : 127);
    for (unsigned i = 0; i < bytes; i++) to[at++] = (uint8_t)((uint64_t)length >> (8 * (bytes - 1 - i)));
  }
  memcpy(to + at, key, 4);
  return at + 4;
}

static size_t frame_message(uint8_t *to, const uint8_t *payload, const struct options *options) {
  size_t size = options->size, largest = options->fragment ? options->fragment : size;
  size_t at = 0, done = 0;
  do {
    size_t length = size - done < largest ? size - done : largest;
    unsigned opcode = done ? 0 : options->text ? 1 : 2;
    uint64_t random = next_random();
    uint8_t key[4];
    memcpy(key, &random, 4);
    at += put_header(to + at, done + length == size, opcode, length, key);
    for (size_t i = 0; i < length; i++) to[at + i] = payload[done + i] ^ key[i & 3];
    at += length;
    done += length;
  } while (done < size);
  return at;
}

static size_t framed_size(const struct options *options) {
  size_t size = options->size, largest = options->fragment;
  if (!largest || size <= largest) return size + header_size(size);
  size_t rest = size % largest;
  return size / largest * (largest + header_size(largest)) + (rest ? rest + header_size(rest) : 0);
}

struct stream make_stream(const struct options *options) {
  struct stream stream = {.size = options->size, .unit = framed_size(options)};
  stream.count = RING_BYTES / stream.unit;
  if (stream.count < 2) stream.count = 2;
  if (stream.count > RING_MOST) stream.count = RING_MOST;
  stream.wire = allocate(stream.count * stream.unit);
  stream.plain = allocate(stream.count * stream.size);

  for (size_t i = 0; i < stream.count; i++) {
    uint8_t *payload = stream.plain + i * stream.size;
    for (size_t at = 0; at < stream.size; at++) {
      uint8_t byte = (uint8_t)next_random();
      payload[at] = options->text ? (uint8_t)(' ' + byte % 95) : byte; /* text: printable ASCII */
    }
    frame_message(stream.wire + i * stream.unit, payload, options);
  }
  if (options->raw) {
    stream.plain = stream.wire;
    stream.size = stream.unit;
  }
  return stream;
}
