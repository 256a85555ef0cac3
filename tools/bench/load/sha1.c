/* SHA-1 (RFC 3174) and base64 for Sec-WebSocket-Accept (RFC 6455 §4.2.2), short inputs only. */
#include "bench.h"

#include <string.h>

static uint32_t rotate(uint32_t word, int by) { return word << by | word >> (32 - by); }

static void sha1_block(uint32_t h[5], const uint8_t *block) {
  uint32_t w[80];
  for (int i = 0; i < 16; i++) {
    w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
  }
  for (int i = 16; i < 80; i++) w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);

  uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
  for (int i = 0; i < 80; i++) {
    uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 || i >= 60 ? b ^ c ^ d : (b & c) | (b & d) | (c & d);
    uint32_t k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6;
    uint32_t next = rotate(a, 5) + f + e + k + w[i];
    e = d;
    d = c;
    c = rotate(b, 30);
    b = a;
    a = next;
  }
  h[0] += a;
  h[1] += b;
  h[2] += c;
  h[3] += d;
  h[4] += e;
}

void base64(const uint8_t *bytes, size_t length, char *text) {
  static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < length; i += 3) {
    size_t left = length - i;
    uint32_t group = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);
    *text++ = DIGITS[group >> 18];
    *text++ = DIGITS[group >> 12 & 63];
    *text++ = left > 1 ? DIGITS[group >> 6 & 63] : '=';
    *text++ = left > 2 ? DIGITS[group & 63] : '=';
  }
  *text = 0;
}

void accept_for(const char *key, size_t key_length, char accept[29]) {
  static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  uint8_t message[128] = {0};
  size_t length = key_length + sizeof GUID - 1;
  if (length > 119) die("key of %zu characters", key_length);
  memcpy(message, key, key_length);
  memcpy(message + key_length, GUID, sizeof GUID - 1);
  message[length] = 0x80;
  size_t padded = length < 56 ? 64 : 128;
  message[padded - 2] = (uint8_t)(length * 8 >> 8);
  message[padded - 1] = (uint8_t)(length * 8);

  uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  for (size_t at = 0; at < padded; at += 64) sha1_block(h, message + at);
  uint8_t digest[20];
  for (int i = 0; i < 20; i++) digest[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
  base64(digest, 20, accept);
}
