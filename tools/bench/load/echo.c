/* Messages in flight on open connections; counts and checks what comes back. */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK_BYTES = 256 * 1024, STALL_MS = 20000, FIRST_MOST = 64 };

struct connection {
  struct wire wire;
  uint64_t first;        /* documents: where in the ring it begins, so that not all send the same at a time */
  bool waits_for_room;   /* the socket's send buffer is full */
  uint64_t issued;       /* messages that may leave: sent, or to be sent as soon as there is room */
  uint64_t sent_bytes;
  uint64_t received;     /* messages that came back whole */
  uint64_t *sent_at;     /* ns, for each message in flight */
  uint64_t raw_offset;   /* raw mode: bytes of the current message that came back */
  struct reader reader;
  struct checker checker;
};

struct load {
  const struct options *options;
  struct agreement agreement;
  struct stream stream;
  struct connection *connections;
  int epoll;
  bool stopping;
  unsigned turn;
  uint64_t issued, received, verified, compressed, received_bytes, control_frames;
  struct histogram round_trips;
};

static void flush(struct load *load, struct connection *connection) {
  const struct stream *stream = &load->stream;
  size_t ring = stream->starts[stream->count];
  uint64_t pending = stream_offset(stream, connection->issued) - connection->sent_bytes;
  while (pending > 0) {
    size_t at = connection->sent_bytes % ring;
    size_t first = ring - at < pending ? ring - at : (size_t)pending;
    size_t second = pending - first < ring ? (size_t)(pending - first) : ring;
    struct iovec parts[2] = {{stream->wire + at, first}, {stream->wire, second}};
    ssize_t n = write_wire(&connection->wire, parts, second ? 2 : 1);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) die("write: %s", strerror(errno));
      break;
    }
    connection->sent_bytes += (uint64_t)n;
    pending -= (uint64_t)n;
  }
  if (connection->waits_for_room != (pending > 0)) {
    connection->waits_for_room = pending > 0;
    uint32_t events = EPOLLIN | (pending > 0 ? EPOLLOUT : 0);
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)(connection - load->connections)};
    epoll_ctl(load->epoll, EPOLL_CTL_MOD, connection->wire.fd, &event);
  }
}

/* Fills the connection up to its messages in flight, unless the load is at its end. */
static void issue(struct load *load, struct connection *connection, uint64_t now) {
  const struct options *options = load->options;
  uint64_t room = (uint64_t)options->in_flight - (connection->issued - connection->received);
  if (load->stopping) return;
  if (options->messages && options->messages - load->issued < room) room = options->messages - load->issued;
  for (uint64_t i = 0; i < room; i++) connection->sent_at[connection->issued++ % (uint64_t)options->in_flight] = now;
  load->issued += room;
  if (room && !connection->waits_for_room) flush(load, connection);
}

/* Every n-th message of a connection; of compressed ones a sample in no order, so that it has all documents. */
static bool is_wanted(const struct load *load, const struct connection *connection) {
  uint64_t every = load->options->verify_every, number = connection->received - connection->first;
  if (!every) return false;
  if (load->agreement.deflate && number) {
    uint64_t index = (uint64_t)(connection - load->connections);
    number = (number * 0x9e3779b97f4a7c15u ^ index * 0xbf58476d1ce4e5b9u) >> 32;
  }
  return number % every == 0;
}

static const uint8_t *document_of(const struct load *load, const struct connection *connection) {
  return load->stream.plain + connection->received % load->stream.count * load->stream.size;
}

static void complete(struct load *load, struct connection *connection, uint64_t now) {
  if (connection->received == connection->issued) die("more echoes than messages");
  record(&load->round_trips, now - connection->sent_at[connection->received % (uint64_t)load->options->in_flight], 1);
  connection->received++;
  load->received++;
}

static void receive_frames(struct load *load, struct connection *connection, const uint8_t *at, const uint8_t *end, uint64_t now) {
  struct piece piece;
  int expected = load->options->text ? 1 : 2;
  for (;;) {
    enum found found = read_piece(&connection->reader, &at, end, &piece);
    if (found == FOUND_NOTHING) return;
    if (found == FOUND_CONTROL) {
      if (piece.opcode == 8) die("the server closed a connection");
      load->control_frames++;
      continue;
    }
    if (piece.opcode != expected) die("echo with opcode %d", piece.opcode);
    bool wanted = is_wanted(load, connection);
    if (check_piece(&connection->checker, &piece, document_of(load, connection), load->stream.size, wanted)) load->verified++;
    if (!piece.ends_message) continue;
    if (piece.compressed) load->compressed++;
    complete(load, connection, now);
  }
}

static void receive_raw(struct load *load, struct connection *connection, const uint8_t *at, const uint8_t *end, uint64_t now) {
  while (at < end) {
    uint64_t left = load->stream.size - connection->raw_offset;
    size_t take = left < (uint64_t)(end - at) ? (size_t)left : (size_t)(end - at);
    struct piece piece = {.bytes = at, .length = take, .offset = connection->raw_offset};
    at += take;
    connection->raw_offset += take;
    piece.ends_message = connection->raw_offset == load->stream.size;
    bool wanted = is_wanted(load, connection);
    if (check_piece(&connection->checker, &piece, document_of(load, connection), load->stream.size, wanted)) load->verified++;
    if (!piece.ends_message) return;
    connection->raw_offset = 0;
    complete(load, connection, now);
  }
}

static void receive(struct load *load, struct connection *connection) {
  static uint8_t chunk[CHUNK_BYTES];
  ssize_t n = read_wire(&connection->wire, chunk, sizeof chunk);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n < 0) die("read: %s", strerror(errno));
  if (n == 0) die("the server ended a connection");
  uint64_t now = now_ns();
  load->received_bytes += (uint64_t)n;
  if (load->options->raw) receive_raw(load, connection, chunk, chunk + n, now);
  else receive_frames(load, connection, chunk, chunk + n, now);
  if (!load->options->rate) issue(load, connection, now);
}

/* With a rate: what is due by now, on one connection after the other; a server that does not keep up gets less. */
static void issue_due(struct load *load, uint64_t start) {
  const struct options *options = load->options;
  uint64_t now = now_ns(), due = (uint64_t)((double)(now - start) / 1e9 * options->rate);
  for (int tries = 0; load->issued < due && tries < options->connections; tries++) {
    struct connection *connection = &load->connections[load->turn++ % (unsigned)options->connections];
    if (connection->issued == connection->received) issue(load, connection, now);
  }
}

static bool is_done(const struct load *load) {
  bool all_issued = load->stopping || (load->options->messages && load->issued == load->options->messages);
  return all_issued && load->received == load->issued;
}

static void handle_events(struct load *load) {
  struct epoll_event events[256];
  bool paced = load->options->rate > 0 && !load->stopping;
  int n = epoll_wait(load->epoll, events, 256, paced ? 1 : STALL_MS);
  if (n < 0 && errno != EINTR) die("epoll_wait: %s", strerror(errno));
  if (n == 0 && !paced) die("stalled with %llu messages in flight", (unsigned long long)(load->issued - load->received));
  for (int i = 0; i < n; i++) {
    struct connection *connection = &load->connections[events[i].data.u64];
    if (events[i].events & EPOLLOUT) flush(load, connection);
    if (events[i].events & ~(uint32_t)EPOLLOUT) receive(load, connection);
  }
}

/* One message to and fro on every connection, on a few at a time. */
static void exchange_first(struct load *load) {
  const struct options *options = load->options;
  struct options once = *options;
  once.in_flight = 1;
  once.messages = 0;
  once.rate = 0;
  load->options = &once;
  for (int i = 0; i < options->connections; i++) {
    load->stopping = false;
    issue(load, &load->connections[i], now_ns());
    load->stopping = true;
    while (load->issued - load->received >= FIRST_MOST) handle_events(load);
  }
  while (load->received < load->issued) handle_events(load);
  load->options = options;
  load->stopping = false;
  load->issued = load->received = load->verified = load->compressed = load->received_bytes = load->control_frames = 0;
  load->round_trips = (struct histogram){0};
}

static void drive(struct load *load) {
  uint64_t start = now_ns(), stop = start + (uint64_t)(load->options->seconds * 1e9);
  bool paced = load->options->rate > 0;
  for (int i = 0; i < load->options->connections && !paced; i++) issue(load, &load->connections[i], start);
  while (!is_done(load)) {
    if (paced) issue_due(load, start);
    handle_events(load);
    if (now_ns() >= stop) load->stopping = true;
  }
}

static void open_connections(struct load *load) {
  const struct options *options = load->options;
  load->epoll = epoll_create1(EPOLL_CLOEXEC);
  load->connections = allocate((size_t)options->connections * sizeof *load->connections);
  raise_file_limit(options->connections);
  struct wire *wires = allocate((size_t)options->connections * sizeof *wires);
  load->agreement = open_all(wires, load->epoll, options);
  load->stream = make_stream(options, &load->agreement);
  for (int i = 0; i < options->connections; i++) {
    struct connection *connection = &load->connections[i];
    connection->wire = wires[i];
    if (options->json) connection->first = load->stream.count * (uint64_t)i / (uint64_t)options->connections;
    connection->issued = connection->received = connection->first;
    connection->sent_bytes = stream_offset(&load->stream, connection->first);
    connection->sent_at = allocate((size_t)options->in_flight * sizeof(uint64_t));
    connection->reader.allow_compressed = load->agreement.deflate;
    connection->checker.agreement = &load->agreement;
  }
  free(wires);
}

int run_echo(const struct options *options) {
  struct load *load = allocate(sizeof *load);
  load->options = options;
  open_connections(load);
  if (options->first) exchange_first(load);
  printf("{\"event\":\"ready\",\"connections\":%d}\n", options->connections);
  if (options->control && !wait_for_line()) return 0;

  double cpu = cpu_seconds();
  uint64_t start = now_ns();
  drive(load);
  double seconds = (double)(now_ns() - start) / 1e9;
  printf("{\"event\":\"result\",\"messages\":%llu,\"seconds\":%.6f,\"rate\":%.1f,\"p50\":%.2f,\"p99\":%.2f,"
         "\"verified\":%llu,\"compressed\":%llu,\"receivedBytes\":%llu,\"controlFrames\":%llu,\"cpuSeconds\":%.6f}\n",
         (unsigned long long)load->received, seconds, (double)load->received / seconds,
         percentile(&load->round_trips, 50), percentile(&load->round_trips, 99), (unsigned long long)load->verified,
         (unsigned long long)load->compressed, (unsigned long long)load->received_bytes,
         (unsigned long long)load->control_frames, cpu_seconds() - cpu);
  while (options->control && wait_for_line()) continue;
  return 0;
}
