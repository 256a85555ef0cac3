/*
 * Recipients of what the server broadcasts. Connection 0 is no recipient: it sends the documents once, as messages, and
 * then a number each time that so many of them, going round, are to be sent to all others.
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
  uint64_t expected, received, verified, compressed, received_bytes;
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

/* A text message that is not compressed, masked with the key 0. */
static void trigger(const struct broadcast *load) {
  char frame[16];
  int length = snprintf(frame + 6, sizeof frame - 6, "%d", load->options->in_flight);
  memcpy(frame, (const uint8_t[]){0x81, (uint8_t)(0x80 | length), 0, 0, 0, 0}, 6);
  send_all(load->sender, (const uint8_t *)frame, 6 + (size_t)length);
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
    if (recipient->received == load->expected) die("more messages than were asked for");
    const uint8_t *document = stream->plain + recipient->received % stream->count * stream->size;
    if (check_piece(&recipient->checker, &piece, document, stream->size, is_wanted(load, recipient))) load->verified++;
    if (!piece.ends_message) continue;
    if (piece.compressed) load->compressed++;
    recipient->received++;
    load->received++;
  }
}

/* One number to the server; all recipients have all messages when it returns. */
static void run_once(struct broadcast *load) {
  struct epoll_event events[256];
  uint64_t start = now_ns(), goal = load->received + (uint64_t)load->count * (uint64_t)load->options->in_flight;
  load->expected += (uint64_t)load->options->in_flight;
  trigger(load);
  while (load->received < goal) {
    int n = epoll_wait(load->epoll, events, 256, STALL_MS);
    if (n < 0 && errno != EINTR) die("epoll_wait: %s", strerror(errno));
    if (n == 0) die("stalled, %llu messages are missing", (unsigned long long)(goal - load->received));
    for (int i = 0; i < n; i++) {
      if (events[i].data.u64 == 0) die("the server answered the sender");
      receive(load, &load->recipients[events[i].data.u64 - 1]);
    }
  }
  record(&load->durations, now_ns() - start, 1);
}

static void open_connections(struct broadcast *load) {
  struct options options = *load->options;
  options.connections = load->count + 1;
  raise_file_limit(options.connections);
  int *fds = allocate((size_t)options.connections * sizeof *fds);
  load->agreement = open_all(fds, load->epoll, &options);
  load->stream = make_stream(&options, &load->agreement);
  load->recipients = allocate((size_t)load->count * sizeof *load->recipients);
  load->sender = fds[0];
  for (int i = 0; i < load->count; i++) {
    load->recipients[i].fd = fds[i + 1];
    load->recipients[i].reader.allow_compressed = load->agreement.deflate;
    load->recipients[i].checker.agreement = &load->agreement;
  }
}

int run_broadcast(const struct options *options) {
  struct broadcast load = {.options = options, .count = options->connections, .epoll = epoll_create1(EPOLL_CLOEXEC)};
  if (!options->json) die("broadcast is of JSON documents: --json is missing");
  open_connections(&load);
  send_all(load.sender, load.stream.wire, load.stream.starts[load.stream.count]);
  run_once(&load); /* what a connection allocates for its first message is not part of a message's cost */
  load.received = load.verified = load.compressed = load.received_bytes = 0;
  load.durations = (struct histogram){0};
  printf("{\"event\":\"ready\",\"connections\":%d}\n", load.count);
  if (options->control && !wait_for_line()) return 0;

  double cpu = cpu_seconds();
  uint64_t start = now_ns(), stop = start + (uint64_t)(options->seconds * 1e9), times = 0;
  do run_once(&load), times++;
  while (now_ns() < stop && (!options->messages || times < options->messages));
  double seconds = (double)(now_ns() - start) / 1e9;
  printf("{\"event\":\"result\",\"messages\":%llu,\"seconds\":%.6f,\"rate\":%.1f,\"p50\":%.2f,\"p99\":%.2f,"
         "\"verified\":%llu,\"compressed\":%llu,\"receivedBytes\":%llu,\"cpuSeconds\":%.6f}\n",
         (unsigned long long)load.received, seconds, (double)load.received / seconds, percentile(&load.durations, 50),
         percentile(&load.durations, 99), (unsigned long long)load.verified, (unsigned long long)load.compressed,
         (unsigned long long)load.received_bytes, cpu_seconds() - cpu);
  while (options->control && wait_for_line()) continue;
  return 0;
}
