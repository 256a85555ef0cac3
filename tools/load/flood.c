/*
 * A flood of opening handshakes, and the latency of whoever is connected already. Plain C11 and Linux; one thread, epoll, loopback only.
 *
 *   flood attempts PORT RATE SECONDS ADDRESSES   begins RATE handshakes a second from 127.0.1.1 and so many addresses behind it, however
 *                                                slowly the server answers, and waits for the end of each
 *   flood echo PORT RATE SECONDS CONNECTIONS     opens the connections, says "ready", and at a line on stdin sends RATE messages a second
 *                                                in turn on them; latency runs from the moment at which a message was due
 *
 * Prints one JSON object per line on stdout; a fault goes to stderr with status 1.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  HEAD_MOST = 2048,
  /* At the same time; who has as many open attempts skips those that are due. */
  OPEN_MOST = 16000,
  /* ms until an attempt counts as never answered. */
  PATIENCE_MS = 10000,
  EVENTS = 512
};

static const char REQUEST[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

static _Noreturn void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int by_size(const void *a, const void *b) {
  uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
  return one < other ? -1 : one > other;
}

/* ms, of a sorted list. */
static double percentile(const uint64_t *sorted, size_t count, double percent) {
  if (count == 0) return 0;
  size_t at = (size_t)((double)count * percent / 100);
  return (double)sorted[at < count ? at : count - 1] / 1e6;
}

static void raise_file_limit(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static struct sockaddr_in address_of(uint32_t host, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(host);
  return address;
}

/* --- attempts ------------------------------------------------------------------------------------------------------- */

struct attempt {
  int fd; /* -1: free */
  bool sent;
  uint64_t begun;
  size_t received;
  char head[HEAD_MOST];
};

struct flood {
  int port, addresses, epoll;
  struct attempt *attempts;
  int *unused;
  int unused_count;
  /* In the order of their beginning; an attempt that is over, or newer than its entry, is passed by. */
  struct { int index; uint64_t begun; } *order;
  uint64_t first, last, turn;
  uint64_t *latencies; /* ns to the end of the head, of those that were answered */
  uint64_t begun, skipped, accepted, refused, retry_after, other, cut, never;
  uint64_t most_open;
};

static void forget(struct flood *flood, struct attempt *attempt) {
  close(attempt->fd);
  attempt->fd = -1;
  flood->unused[flood->unused_count++] = (int)(attempt - flood->attempts);
}

static void begin(struct flood *flood, uint64_t capacity) {
  flood->begun++;
  if (flood->unused_count == 0) {
    flood->skipped++;
    return;
  }
  int index = flood->unused[flood->unused_count - 1];
  struct attempt *attempt = &flood->attempts[index];
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket: %s", strerror(errno));
  int on = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  struct sockaddr_in from = address_of(INADDR_LOOPBACK + 256 + (uint32_t)(flood->turn++ % (uint64_t)flood->addresses), 0);
  struct sockaddr_in to = address_of(INADDR_LOOPBACK, flood->port);
  if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0) die("bind: %s", strerror(errno));
  if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) {
    close(fd);
    flood->cut++;
    return;
  }
  flood->unused_count--;
  attempt->fd = fd;
  attempt->sent = false;
  attempt->received = 0;
  attempt->begun = now_ns();
  flood->order[flood->last % capacity].index = index;
  flood->order[flood->last++ % capacity].begun = attempt->begun;
  uint64_t open = (uint64_t)(OPEN_MOST - flood->unused_count);
  if (open > flood->most_open) flood->most_open = open;
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP, .data.u32 = (uint32_t)index};
  epoll_ctl(flood->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void judge(struct flood *flood, struct attempt *attempt) {
  attempt->head[attempt->received] = '\0';
  flood->latencies[flood->accepted + flood->refused + flood->other] = now_ns() - attempt->begun;
  if (!strncmp(attempt->head, "HTTP/1.1 101 ", 13)) flood->accepted++;
  else if (!strncmp(attempt->head, "HTTP/1.1 429 ", 13) || !strncmp(attempt->head, "HTTP/1.1 503 ", 13)) {
    flood->refused++;
    if (strstr(attempt->head, "\r\nRetry-After: ")) flood->retry_after++;
  } else flood->other++;
}

static void proceed(struct flood *flood, struct attempt *attempt, uint32_t events) {
  if (!attempt->sent && (events & EPOLLOUT)) {
    attempt->sent = true;
    (void)!send(attempt->fd, REQUEST, sizeof REQUEST - 1, MSG_NOSIGNAL); /* what becomes of it shows in the answer */
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)(attempt - flood->attempts)};
    epoll_ctl(flood->epoll, EPOLL_CTL_MOD, attempt->fd, &event);
  }
  if (!(events & ~(uint32_t)EPOLLOUT)) return;
  ssize_t count = recv(attempt->fd, attempt->head + attempt->received, HEAD_MOST - 1 - attempt->received, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count > 0) attempt->received += (size_t)count;
  bool whole = memmem(attempt->head, attempt->received, "\r\n\r\n", 4) != NULL;
  if (!whole && count > 0 && attempt->received < HEAD_MOST - 1) return;
  if (whole) judge(flood, attempt);
  else flood->cut++;
  forget(flood, attempt);
}

static void expire(struct flood *flood, uint64_t capacity, uint64_t now) {
  while (flood->first < flood->last) {
    int index = flood->order[flood->first % capacity].index;
    uint64_t begun = flood->order[flood->first % capacity].begun;
    struct attempt *attempt = &flood->attempts[index];
    if (attempt->fd >= 0 && attempt->begun == begun) {
      if (now < begun + PATIENCE_MS * 1000000ull) return;
      flood->never++;
      forget(flood, attempt);
    }
    flood->first++;
  }
}

static void run_attempts(int port, double rate, double seconds, int addresses) {
  uint64_t total = (uint64_t)(rate * seconds), capacity = total + 1;
  struct flood flood = {.port = port, .addresses = addresses, .epoll = epoll_create1(EPOLL_CLOEXEC)};
  flood.attempts = calloc(OPEN_MOST, sizeof *flood.attempts);
  flood.unused = calloc(OPEN_MOST, sizeof *flood.unused);
  flood.order = calloc(capacity, sizeof *flood.order);
  flood.latencies = calloc(capacity, sizeof *flood.latencies);
  if (!flood.attempts || !flood.unused || !flood.order || !flood.latencies) die("out of memory");
  for (int i = OPEN_MOST - 1; i >= 0; i--) {
    flood.attempts[i].fd = -1;
    flood.unused[flood.unused_count++] = i;
  }
  uint64_t start = now_ns(), last_begun = start;
  while (flood.begun < total || flood.unused_count < OPEN_MOST) {
    uint64_t now = now_ns(), due = (uint64_t)((double)(now - start) / 1e9 * rate);
    if (due > total) due = total;
    while (flood.begun < due) begin(&flood, capacity), last_begun = now;
    expire(&flood, capacity, now);
    struct epoll_event events[EVENTS];
    int count = epoll_wait(flood.epoll, events, EVENTS, 1);
    if (count < 0 && errno != EINTR) die("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++) {
      struct attempt *attempt = &flood.attempts[events[i].data.u32];
      if (attempt->fd >= 0) proceed(&flood, attempt, events[i].events);
    }
  }
  size_t answered = flood.accepted + flood.refused + flood.other;
  qsort(flood.latencies, answered, sizeof *flood.latencies, by_size);
  printf("{\"event\":\"result\",\"attempts\":%llu,\"seconds\":%.3f,\"accepted\":%llu,\"refused\":%llu,\"withRetryAfter\":%llu,\"other\":%llu,"
         "\"cut\":%llu,\"neverAnswered\":%llu,\"skipped\":%llu,\"mostOpen\":%llu,\"p50\":%.2f,\"p99\":%.2f,\"max\":%.2f}\n",
         (unsigned long long)flood.begun, (double)(last_begun - start) / 1e9, (unsigned long long)flood.accepted,
         (unsigned long long)flood.refused, (unsigned long long)flood.retry_after, (unsigned long long)flood.other,
         (unsigned long long)flood.cut, (unsigned long long)flood.never, (unsigned long long)flood.skipped,
         (unsigned long long)flood.most_open, percentile(flood.latencies, answered, 50),
         percentile(flood.latencies, answered, 99), percentile(flood.latencies, answered, 100));
}

/* --- echo ------------------------------------------------------------------------------------------------------------- */

struct peer {
  int fd;
  size_t have; /* bytes in `bytes` */
  uint8_t bytes[4096];
};

/* Waits for the 101. */
static int connect_peer(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  struct sockaddr_in to = address_of(INADDR_LOOPBACK, port);
  if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0) die("connect: %s", strerror(errno));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (send(fd, REQUEST, sizeof REQUEST - 1, 0) < 0) die("send: %s", strerror(errno));
  char head[HEAD_MOST];
  size_t received = 0;
  while (!memmem(head, received, "\r\n\r\n", 4)) {
    ssize_t count = recv(fd, head + received, sizeof head - received, 0);
    if (count <= 0) die("the server did not accept a connection");
    received += (size_t)count;
  }
  if (strncmp(head, "HTTP/1.1 101 ", 13)) die("the server refused a connection");
  return fd;
}

/* A masked binary frame of 8 bytes, its key 0: when it was due. */
static void send_due(struct peer *peer, uint64_t due) {
  uint8_t frame[14] = {0x82, 0x88};
  memcpy(frame + 6, &due, 8);
  if (send(peer->fd, frame, sizeof frame, MSG_NOSIGNAL) != sizeof frame) die("a connection was closed, or is full");
}

/* Frames of at most 125 bytes: echoes, and pings that need no answer from somebody who goes on to send. @returns how many were echoes */
static size_t receive(struct peer *peer, uint64_t *latencies) {
  ssize_t count = recv(peer->fd, peer->bytes + peer->have, sizeof peer->bytes - peer->have, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (count <= 0) die("the server ended a connection");
  peer->have += (size_t)count;
  uint64_t now = now_ns(), due;
  size_t at = 0, echoes = 0;
  while (peer->have - at >= 2) {
    size_t length = peer->bytes[at + 1] & 0x7f;
    if (length > 125) die("a frame of more than 125 bytes");
    if (peer->have - at < 2 + length) break;
    if (peer->bytes[at] == 0x82 && length == 8) {
      memcpy(&due, peer->bytes + at + 2, 8);
      latencies[echoes++] = now - due;
    } else if (peer->bytes[at] != 0x89) die("a frame that is no echo");
    at += 2 + length;
  }
  memmove(peer->bytes, peer->bytes + at, peer->have - at);
  peer->have -= at;
  return echoes;
}

static void run_echo(int port, double rate, double seconds, int connections) {
  uint64_t total = (uint64_t)(rate * seconds), sent = 0, received = 0;
  struct peer *peers = calloc((size_t)connections, sizeof *peers);
  uint64_t *latencies = calloc(total + 4096, sizeof *latencies);
  if (!peers || !latencies) die("out of memory");
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < connections; i++) {
    peers[i].fd = connect_peer(port);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
    epoll_ctl(epoll, EPOLL_CTL_ADD, peers[i].fd, &event);
  }
  printf("{\"event\":\"ready\",\"connections\":%d}\n", connections);
  if (getchar() == EOF) return;
  uint64_t start = now_ns(), patience = start + (uint64_t)((seconds + 30) * 1e9);
  while (received < total && now_ns() < patience) {
    uint64_t now = now_ns(), due = (uint64_t)((double)(now - start) / 1e9 * rate);
    for (; sent < due && sent < total; sent++)
      send_due(&peers[sent % (uint64_t)connections], start + (uint64_t)((double)sent / rate * 1e9));
    struct epoll_event events[EVENTS];
    int count = epoll_wait(epoll, events, EVENTS, 1);
    for (int i = 0; i < count; i++) received += receive(&peers[events[i].data.u32], latencies + received);
  }
  qsort(latencies, received, sizeof *latencies, by_size);
  printf("{\"event\":\"result\",\"messages\":%llu,\"lost\":%llu,\"p50\":%.2f,\"p99\":%.2f,\"p999\":%.2f,\"max\":%.2f}\n",
         (unsigned long long)received, (unsigned long long)(total - received), percentile(latencies, received, 50),
         percentile(latencies, received, 99), percentile(latencies, received, 99.9), percentile(latencies, received, 100));
}

int main(int argc, char **argv) {
  if (argc != 6) die("usage: flood attempts|echo PORT RATE SECONDS COUNT");
  int port = atoi(argv[2]), count = atoi(argv[5]);
  double rate = atof(argv[3]), seconds = atof(argv[4]);
  if (port <= 0 || rate <= 0 || seconds <= 0 || count <= 0) die("a number that is none");
  signal(SIGPIPE, SIG_IGN);
  setvbuf(stdout, NULL, _IOLBF, 0);
  raise_file_limit();
  if (!strcmp(argv[1], "attempts")) run_attempts(port, rate, seconds, count);
  else if (!strcmp(argv[1], "echo")) run_echo(port, rate, seconds, count);
  else die("unknown mode %s", argv[1]);
}
