/* Opening handshake, closing handshake, and again: what a connection costs besides its messages. */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STALL_MS = 20000 };

/* Close 1000, masked with the key 01020304. */
static const uint8_t CLOSE_FRAME[] = {0x88, 0x82, 1, 2, 3, 4, 0x03 ^ 1, 0xe8 ^ 2};
/* What a raw peer is sent and gives back instead of the handshakes. */
static const uint8_t RAW_BYTES[256];

struct slot {
  struct opening opening;
  struct reader reader;
  bool open, answered;
  size_t raw_received;
  uint64_t started_at;
};

struct churn {
  const struct options *options;
  int epoll;
  uint64_t started, finished;
  struct histogram durations;
};

static void start(struct churn *churn, struct slot *slot, uint64_t number) {
  *slot = (struct slot){.started_at = now_ns()};
  start_opening(&slot->opening, churn->epoll, number, churn->options);
  churn->started++;
}

static void say_goodbye(const struct churn *churn, struct slot *slot) {
  bool raw = churn->options->raw;
  size_t length = raw ? sizeof RAW_BYTES : sizeof CLOSE_FRAME;
  slot->open = true;
  if (send(slot->opening.wire.fd, raw ? RAW_BYTES : CLOSE_FRAME, length, 0) != (ssize_t)length) die("close: %s", strerror(errno));
}

/* Returns true when the server has ended the connection in good order. */
static bool receive(const struct churn *churn, struct slot *slot) {
  uint8_t chunk[4096];
  ssize_t n = recv(slot->opening.wire.fd, chunk, sizeof chunk, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (n < 0) die("read: %s", strerror(errno));
  if (n == 0) {
    if (!slot->answered) die("the server ended a connection without an answer");
    return true;
  }
  if (churn->options->raw) {
    slot->raw_received += (size_t)n;
    if (slot->raw_received == sizeof RAW_BYTES) {
      slot->answered = true;
      shutdown(slot->opening.wire.fd, SHUT_WR);
    }
    return false;
  }
  const uint8_t *at = chunk;
  struct piece piece;
  enum found found;
  while ((found = read_piece(&slot->reader, &at, chunk + n, &piece)) != FOUND_NOTHING) {
    if (found != FOUND_CONTROL) die("a message that nobody asked for");
    if (piece.opcode == 8) slot->answered = true;
  }
  return false;
}

int run_churn(const struct options *options) {
  struct churn *churn = allocate(sizeof *churn);
  struct slot *slots = allocate((size_t)options->connections * sizeof *slots);
  struct epoll_event events[64];
  churn->options = options;
  churn->epoll = epoll_create1(EPOLL_CLOEXEC);
  raise_file_limit(options->connections);
  printf("{\"event\":\"ready\",\"connections\":0}\n");
  if (options->control && !wait_for_line()) return 0;

  double cpu = cpu_seconds();
  uint64_t begin = now_ns(), stop = begin + (uint64_t)(options->seconds * 1e9), now = begin;
  for (int i = 0; i < options->connections; i++) {
    if (options->messages && churn->started == options->messages) break;
    start(churn, &slots[i], (uint64_t)i);
  }
  while (churn->finished < churn->started) {
    int n = epoll_wait(churn->epoll, events, 64, STALL_MS);
    if (n < 0 && errno != EINTR) die("epoll_wait: %s", strerror(errno));
    if (n == 0) die("stalled with %llu connections", (unsigned long long)(churn->started - churn->finished));
    for (int i = 0; i < n; i++) {
      struct slot *slot = &slots[events[i].data.u64];
      if (!slot->open) {
        bool was_connected = slot->opening.connected;
        enum progress progress = continue_opening(&slot->opening, options);
        if (!was_connected) {
          struct epoll_event event = {.events = EPOLLIN, .data.u64 = events[i].data.u64};
          epoll_ctl(churn->epoll, EPOLL_CTL_MOD, slot->opening.wire.fd, &event);
        }
        if (progress == PROGRESS_OPEN) say_goodbye(churn, slot);
        continue;
      }
      if (!receive(churn, slot)) continue;
      close(slot->opening.wire.fd);
      now = now_ns();
      record(&churn->durations, now - slot->started_at, 1);
      churn->finished++;
      if (now < stop && (!options->messages || churn->started < options->messages)) start(churn, slot, events[i].data.u64);
    }
  }
  double seconds = (double)(now - begin) / 1e9;
  printf("{\"event\":\"result\",\"messages\":%llu,\"seconds\":%.6f,\"rate\":%.1f,\"p50\":%.2f,\"p99\":%.2f,\"cpuSeconds\":%.6f}\n",
         (unsigned long long)churn->finished, seconds, (double)churn->finished / seconds, percentile(&churn->durations, 50),
         percentile(&churn->durations, 99), cpu_seconds() - cpu);
  while (options->control && wait_for_line()) continue;
  return 0;
}
