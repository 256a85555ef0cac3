/* The messages that are sent, built before the clock starts. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

enum { RING_BYTES = 512 * 1024, RING_MOST = 4096, DOCUMENTS_LEAST = 64, LARGE = 32 << 20 };

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

/* RSV1 of the first frame says that the message is compressed (RFC 7692 §6.1). */
static size_t frame_message(uint8_t *to, const uint8_t *payload, size_t size, const struct options *options) {
  size_t largest = options->fragment ? options->fragment : size;
  size_t at = 0, done = 0;
  do {
    size_t length = size - done < largest ? size - done : largest;
    unsigned opcode = done ? 0 : (options->text ? 1 : 2) | (options->deflate ? 0x40 : 0);
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

static size_t framed_size(size_t size, size_t largest) {
  if (!largest || size <= largest) return size + header_size(size);
  size_t rest = size % largest;
  return size / largest * (largest + header_size(largest)) + (rest ? rest + header_size(rest) : 0);
}

static void make_payload(uint8_t *to, const struct options *options) {
  if (options->json) make_json(to, options->size);
  else if (options->mixed) make_mixed(to, options->size);
  else if (options->text) make_ascii(to, options->size);
  else for (size_t at = 0; at < options->size; at++) to[at] = (uint8_t)next_random();
}

struct stream make_stream(const struct options *options, const struct agreement *agreement) {
  size_t room = options->deflate ? compressed_bound(options->size) : options->size;
  size_t unit = framed_size(room, options->fragment), least = options->json ? DOCUMENTS_LEAST : options->size < LARGE ? 2 : 1;
  struct stream stream = {.size = options->size, .count = RING_BYTES / framed_size(options->size, options->fragment)};
  if (stream.count < least) stream.count = least;
  if (stream.count > RING_MOST) stream.count = RING_MOST;
  stream.wire = allocate(stream.count * unit);
  stream.starts = allocate((stream.count + 1) * sizeof *stream.starts);
  stream.plain = allocate(stream.count * stream.size);
  uint8_t *compressed = options->deflate ? allocate(room) : NULL;

  for (size_t i = 0; i < stream.count; i++) {
    uint8_t *payload = stream.plain + i * stream.size;
    size_t size = stream.size;
    make_payload(payload, options);
    if (compressed) size = compress_message(agreement, payload, size, compressed);
    stream.starts[i + 1] =
        stream.starts[i] + frame_message(stream.wire + stream.starts[i], compressed ? compressed : payload, size, options);
  }
  free(compressed);
  if (options->raw) {
    stream.plain = stream.wire;
    stream.size = unit;
  }
  return stream;
}

uint64_t stream_offset(const struct stream *stream, uint64_t messages) {
  return messages / stream->count * stream->starts[stream->count] + stream->starts[messages % stream->count];
}
