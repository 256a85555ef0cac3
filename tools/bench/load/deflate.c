/* permessage-deflate as a client has it, RFC 7692: the answer, what is sent, and a look into what comes back. */
#define _GNU_SOURCE
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

/* --- the answer (§7.1) ------------------------------------------------------------------------------------------ */

static int window_bits(const char *value) {
  char *end;
  long bits = value ? strtol(value, &end, 10) : 0;
  if (!value || *end || bits < 8 || bits > 15) die("bad window bits: %s", value ? value : "none");
  if (bits == 8) die("zlib compresses with a window of 9 to 15 bits, the server asked for 8");
  return (int)bits;
}

static void read_parameter(struct agreement *agreement, char *parameter) {
  static const char *const NAMES[] = {"server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits",
                                      "client_max_window_bits"};
  char *value = strchr(parameter, '=');
  if (value) *value++ = 0;
  if (!strcmp(parameter, NAMES[0]) && !value && !agreement->server_no_takeover) agreement->server_no_takeover = true;
  else if (!strcmp(parameter, NAMES[1]) && !value && !agreement->client_no_takeover) agreement->client_no_takeover = true;
  else if (!strcmp(parameter, NAMES[2]) && !agreement->server_bits) agreement->server_bits = window_bits(value);
  else if (!strcmp(parameter, NAMES[3]) && !agreement->client_bits) agreement->client_bits = window_bits(value);
  else die("the answer has a wrong parameter: %s", parameter);
}

struct agreement read_agreement(const char *response, bool offered) {
  static const char NAME[] = "\r\nsec-websocket-extensions:";
  struct agreement agreement = {0};
  const char *at = strcasestr(response, NAME);
  if (!offered) {
    if (at) die("an extension that was not offered");
    return agreement;
  }
  if (!at) die("the server declined permessage-deflate");
  at += sizeof NAME - 1;
  if (strcasestr(at, NAME)) die("two headers Sec-WebSocket-Extensions");
  char text[256], *rest = text;
  snprintf(text, sizeof text, "%.*s", (int)strcspn(at, "\r"), at);
  for (char *part; (part = strsep(&rest, ";"));) {
    part += strspn(part, " \t");
    for (char *end = part + strlen(part); end > part && strchr(" \t", end[-1]);) *--end = 0;
    if (agreement.deflate) read_parameter(&agreement, part);
    else if (!strcmp(part, "permessage-deflate")) agreement.deflate = true;
    else die("the server answered with the extension %s", part);
  }
  if (!agreement.server_bits) agreement.server_bits = 15;
  if (!agreement.client_bits) agreement.client_bits = 15;
  return agreement;
}

/* --- what is sent (§7.2.1) -------------------------------------------------------------------------------------- */

/* Every message is compressed by a stream of its own. */
size_t compressed_bound(size_t size) { return compressBound(size) + 64; }

size_t compress_message(const struct agreement *agreement, const uint8_t *plain, size_t size, uint8_t *to) {
  z_stream stream = {.next_in = (Bytef *)plain, .avail_in = (uInt)size, .next_out = to, .avail_out = (uInt)compressed_bound(size)};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -agreement->client_bits, 8, Z_DEFAULT_STRATEGY)) die("deflateInit2");
  if (deflate(&stream, Z_SYNC_FLUSH) != Z_OK || stream.avail_in || !stream.avail_out) die("deflate: %s", stream.msg ? stream.msg : "no room");
  size_t length = stream.total_out;
  deflateEnd(&stream);
  if (length < 4 || memcmp(to + length - 4, "\0\0\xff\xff", 4)) die("deflate: no flush at the end");
  if (length > 4) return length - 4;
  to[0] = 0; /* §7.2.3.6: an empty message */
  return 1;
}

/* --- what comes back (§7.2.2) ----------------------------------------------------------------------------------- */

struct inflater {
  z_stream stream;
  size_t produced; /* bytes of this message */
  struct inflater *next;
};

/* Without takeover any inflater will do for any message: those that rest. */
static struct inflater *resting;

static struct inflater *take_inflater(const struct agreement *agreement) {
  struct inflater *inflater = resting;
  if (inflater) {
    resting = inflater->next;
    inflateReset(&inflater->stream);
    return inflater;
  }
  inflater = allocate(sizeof *inflater);
  if (inflateInit2(&inflater->stream, -agreement->server_bits)) die("inflateInit2");
  return inflater;
}

static void inflate_bytes(struct inflater *inflater, const uint8_t *bytes, size_t length, const uint8_t *document, size_t size) {
  static uint8_t output[128 * 1024];
  z_stream *stream = &inflater->stream;
  stream->next_in = (Bytef *)bytes;
  stream->avail_in = (uInt)length;
  do {
    stream->next_out = output;
    stream->avail_out = sizeof output;
    int status = inflate(stream, Z_SYNC_FLUSH);
    if (status == Z_STREAM_END) die("a final block, which no server here sends");
    if (status != Z_OK && status != Z_BUF_ERROR) die("a compressed message is corrupt: %s", stream->msg ? stream->msg : "?");
    size_t got = sizeof output - stream->avail_out;
    if (inflater->produced + got > size) die("a message inflates to more than its document");
    if (memcmp(output, document + inflater->produced, got)) die("a message differs from its document");
    inflater->produced += got;
  } while (stream->avail_in || !stream->avail_out);
}

static bool check_compressed(struct checker *checker, const struct piece *piece, const uint8_t *document, size_t size, bool wanted) {
  bool keeps_window = !checker->agreement->server_no_takeover;
  if (!wanted && !keeps_window) return false;
  if (!checker->inflater) checker->inflater = take_inflater(checker->agreement);
  struct inflater *inflater = checker->inflater;
  if (piece->offset == 0) inflater->produced = 0;
  inflate_bytes(inflater, piece->bytes, piece->length, document, size);
  if (!piece->ends_message) return false;

  static const uint8_t TAIL[] = {0x00, 0x00, 0xff, 0xff};
  inflate_bytes(inflater, TAIL, sizeof TAIL, document, size);
  if (inflater->produced < size) die("a message inflates to less than its document");
  if (!keeps_window) {
    inflater->next = resting;
    resting = inflater;
    checker->inflater = NULL;
  }
  return true;
}

bool check_piece(struct checker *checker, const struct piece *piece, const uint8_t *document, size_t size, bool wanted) {
  if (piece->compressed) return check_compressed(checker, piece, document, size, wanted);
  if (piece->offset + piece->length > size) die("a message is longer than its document");
  if (piece->ends_message && piece->offset + piece->length < size) die("a message is shorter than its document");
  if (!wanted) return false;
  if (memcmp(piece->bytes, document + piece->offset, piece->length)) die("a message differs from its document");
  return piece->ends_message;
}
