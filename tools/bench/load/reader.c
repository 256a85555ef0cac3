/* Frames by their lengths; every rule that a benchmark can check without slowing down is checked. */
#include "bench.h"

static uint64_t big_endian(const uint8_t *bytes, unsigned count) {
  uint64_t value = 0;
  for (unsigned i = 0; i < count; i++) value = value << 8 | bytes[i];
  return value;
}

static void start_frame(struct reader *reader) {
  uint8_t first = reader->header[0], length7 = reader->header[1] & 0x7f;
  int opcode = first & 0x0f;
  bool masked = reader->header[1] & 0x80;

  bool may_be_compressed = reader->allow_compressed && (opcode == 1 || opcode == 2); /* RFC 7692 §6: the first frame */
  if (first & (may_be_compressed ? 0x30 : 0x70)) die("reserved bits set: 0x%02x", first);
  if (masked != reader->expect_masked) die(masked ? "masked frame" : "frame without mask");
  if (opcode >= 8) {
    if (opcode > 10 || !(first & 0x80) || length7 > 125) die("bad control frame: 0x%02x", first);
  } else {
    if (opcode > 2) die("reserved opcode %d", opcode);
    if ((opcode == 0) != (reader->message_opcode != 0)) die("opcode %d out of order", opcode);
    if (opcode) {
      reader->message_opcode = opcode;
      reader->compressed = first & 0x40;
    }
  }
  reader->frame_length = length7 < 126 ? length7 : big_endian(reader->header + 2, length7 == 126 ? 2 : 8);
  reader->frame_offset = 0;
  reader->in_payload = true;
}

static bool collect_header(struct reader *reader, const uint8_t **at, const uint8_t *end) {
  while (*at < end) {
    reader->header[reader->have++] = *(*at)++;
    if (reader->have == 2) {
      uint8_t second = reader->header[1], length7 = second & 0x7f;
      reader->need = 2u + (length7 == 126 ? 2u : length7 == 127 ? 8u : 0u) + (second & 0x80 ? 4u : 0u);
    }
    if (reader->have >= 2 && reader->have == reader->need) return true;
  }
  return false;
}

enum found read_piece(struct reader *reader, const uint8_t **at, const uint8_t *end, struct piece *piece) {
  if (!reader->in_payload) {
    if (!collect_header(reader, at, end)) return FOUND_NOTHING;
    start_frame(reader);
  }
  uint64_t left = reader->frame_length - reader->frame_offset;
  size_t take = left < (uint64_t)(end - *at) ? (size_t)left : (size_t)(end - *at);
  if (take == 0 && left > 0) return FOUND_NOTHING;

  bool control = reader->header[0] & 0x08;
  *piece = (struct piece){
      .opcode = control ? reader->header[0] & 0x0f : reader->message_opcode,
      .bytes = *at,
      .length = take,
      .offset = reader->message_offset + reader->frame_offset,
      .frame_offset = reader->frame_offset,
      .key = reader->expect_masked ? reader->header + reader->need - 4 : NULL,
      .compressed = !control && reader->compressed,
  };
  *at += take;
  reader->frame_offset += take;
  if (reader->frame_offset < reader->frame_length) {
    return control ? FOUND_NOTHING : FOUND_DATA; /* both: the chunk ended inside the frame */
  }

  reader->in_payload = false;
  reader->have = 0;
  if (control) return FOUND_CONTROL;
  reader->message_offset += reader->frame_length;
  if (reader->header[0] & 0x80) {
    piece->ends_message = true;
    reader->message_opcode = 0;
    reader->message_offset = 0;
  }
  return FOUND_DATA;
}
