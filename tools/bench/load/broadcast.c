/*
 * Recipients of what the server broadcasts. Connection 0 is no recipient: it sends the documents once, as messages, and
 * then a number each time that so many of them, going round, are to be sent to all others: --in-flight of them when all
 * have all of those before, or, with --each, one for each that everybody has.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK_BYTES = 256 * 1024, STALL_MS = 20000 };

struct recipient {
  int fd;
  uint64_t received;
  struct reader reader;
  struct checker checker;
};

struct broadcast {
  const struct options *options;
  struct agreement agreement;
  struct stream stream;
  struct recipient *recipients;
  int count, epoll, sender;
  bool stopping;
  uint64_t triggers;
  uint64_t asked, completed; /* broadcasts; those in between are in flight, at most --in-flight of them */
  int *arrived;              /* of each in flight: how many have it */
  uint64_t *asked_at;        /* ns */
  uint64_t received, verified, compressed, received_bytes;
  struct histogram durations;
};

/* To the end, whatever the socket takes at a time. */
static void send_all(int fd, const uint8_t *bytes, size_t length) {
  while (length > 0) {
    ssize_t n = send(fd, bytes, length, 0);
    if (n < 0 && errno != EAGAIN && errno != EINTR) die("send: %s", strerror(errno));
    if (n < 0) {
      struct pollfd room = {.fd = fd, .events = POLLOUT};
      if (poll(&room, 1, STALL_MS) == 0) die("the server does not take the documents");
      continue;
    }
    bytes += n;
    length -= (size_t)n;
  }
}

/* A text message that is not compressed, masked with the key 0. Returns its size. */
static size_t put_number(uint8_t *to, unsigned number) {
  char digits[16];
  int length = snprintf(digits, sizeof digits, "%u", number);
  memcpy(to, (const uint8_t[]){0x81, (uint8_t)(0x80 | length), 0, 0, 0, 0}, 6);
  memcpy(to + 6, digits, (size_t)length);
  return 6 + (size_t)length;
}

/* Asks for the broadcasts that there is room for in flight. */
static void ask(struct broadcast *load, uint64_t now) {
  static uint8_t frames[4096 * 8];
  const struct options *options = load->options;
  uint64_t window = (uint64_t)options->in_flight, room = window - (load->asked - load->completed);
  size_t length = 0;
  if (load->stopping || room == 0 || (!options->each && room < window)) return;
  if (options->each && options->messages && options->messages - load->triggers < room) room = options->messages - load->triggers;
  for (uint64_t i = 0; i < room; i++) {
    uint64_t slot = load->asked++ % window;
    load->arrived[slot] = 0;
    load->asked_at[slot] = now;
    if (options->each) length += put_number(frames + length, 1);
  }
  if (!options->each) length = put_number(frames, (unsigned)room);
  load->triggers += options->each ? room : 1;
  if (options->messages && load->triggers == options->messages) load->stopping = true;
  send_all(load->sender, frames, length);
}

static void arrive(struct broadcast *load, uint64_t number) {
  uint64_t slot = number % (uint64_t)load->options->in_flight;
  if (++load->arrived[slot] < load->count) return;
  record(&load->durations, now_ns() - load->asked_at[slot], 1); /* in order: each recipient has those before */
  load->completed++;
}

static bool is_wanted(const struct broadcast *load, const struct recipient *recipient) {
  uint64_t every = load->options->verify_every, index = (uint64_t)(recipient - load->recipients);
  return every && (recipient->received == 0 || (recipient->received + index) % every == 0);
}

static void receive(struct broadcast *load, struct recipient *recipient) {
  static uint8_t chunk[CHUNK_BYTES];
  const struct stream *stream = &load->stream;
  ssize_t n = recv(recipient->fd, chunk, sizeof chunk, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n < 0) die("read: %s", strerror(errno));
  if (n == 0) die("the server ended a connection");
  load->received_bytes += (uint64_t)n;
  const uint8_t *at = chunk;
  struct piece piece;
  enum found found;
  while ((found = read_piece(&recipient->reader, &at, chunk + n, &piece)) != FOUND_NOTHING) {
    if (found == FOUND_CONTROL) {
      if (piece.opcode == 8) die("the server closed a connection");
      continue;
    }
    if (piece.opcode != 1) die("a message with opcode %d", piece.opcode);
    if (recipient->received == load->asked) die("more messages than were asked for");
    const uint8_t *document = stream->plain + recipient->received % stream->count * stream->size;
    if (check_piece(&recipient->checker, &piece, document, stream->size, is_wanted(load, recipient))) load->verified++;
    if (!piece.ends_message) continue;
    if (piece.compressed) load->compressed++;
    load->received++;
    arrive(load, recipient->received++);
  }
}

/* Until all recipients have everything that was asked for, and no more is. */
static void drive(struct broadcast *load, uint64_t stop) {
  struct epoll_event events[256];
  ask(load, now_ns());
  while (load->completed < load->asked) {
    int n = epoll_wait(load->epoll, events, 256, STALL_MS);
    if (n < 0 && errno != EINTR) die("epoll_wait: %s", strerror(errno));
    if (n == 0) die("stalled with %llu broadcasts in flight", (unsigned long long)(load->asked - load->completed));
    for (int i = 0; i < n; i++) {
      if (events[i].data.u64 == 0) die("the server answered the sender");
      receive(load, &load->recipients[events[i].data.u64 - 1]);
    }
    uint64_t now = now_ns();
    if (now >= stop) load->stopping = true;
    ask(load, now);
  }
}

static void open_connections(struct broadcast *load) {
  struct options options = *load->options;
  options.connections = load->count + 1;
  raise_file_limit(options.connections);
  struct wire *wires = allocate((size_t)options.connections * sizeof *wires);
  load->agreement = open_all(wires, load->epoll, &options);
  load->stream = make_stream(&options, &load->agreement);
  load->recipients = allocate((size_t)load->count * sizeof *load->recipients);
  load->sender = wires[0].fd;
  load->arrived = allocate((size_t)options.in_flight * sizeof *load->arrived);
  load->asked_at = allocate((size_t)options.in_flight * sizeof *load->asked_at);
  for (int i = 0; i < load->count; i++) {
    load->recipients[i].fd = wires[i + 1].fd;
    load->recipients[i].reader.allow_compressed = load->agreement.deflate;
    load->recipients[i].checker.agreement = &load->agreement;
  }
}

int run_broadcast(const struct options *options) {
  struct broadcast load = {.options = options, .count = options->connections, .epoll = epoll_create1(EPOLL_CLOEXEC)};
  if (!options->json) die("broadcast is of JSON documents: --json is missing");
  open_connections(&load);
  send_all(load.sender, load.stream.wire, load.stream.starts[load.stream.count]);
  drive(&load, 0); /* what a connection allocates for its first message is not part of a message's cost */
  load.stopping = false;
  load.triggers = load.received = load.verified = load.compressed = load.received_bytes = 0;
  load.durations = (struct histogram){0};
  printf("{\"event\":\"ready\",\"connections\":%d}\n", load.count);
  if (options->control && !wait_for_line()) return 0;

  double cpu = cpu_seconds();
  uint64_t start = now_ns();
  drive(&load, start + (uint64_t)(options->seconds * 1e9));
  double seconds = (double)(now_ns() - start) / 1e9;
  printf("{\"event\":\"result\",\"messages\":%llu,\"seconds\":%.6f,\"rate\":%.1f,\"p50\":%.2f,\"p99\":%.2f,"
         "\"verified\":%llu,\"compressed\":%llu,\"receivedBytes\":%llu,\"cpuSeconds\":%.6f}\n",
         (unsigned long long)load.received, seconds, (double)load.received / seconds, percentile(&load.durations, 50),
         percentile(&load.durations, 99), (unsigned long long)load.verified, (unsigned long long)load.compressed,
         (unsigned long long)load.received_bytes, cpu_seconds() - cpu);
  while (options->control && wait_for_line()) continue;
  return 0;
}
