/* The server for clients under test: counts messages and answers every n-th one of a connection with one byte. */
#define _GNU_SOURCE
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK_BYTES = 256 * 1024, REQUEST_MOST = 8192 };
static const uint64_t LISTENER = UINT64_MAX, STDIN = UINT64_MAX - 1;

struct peer {
  int fd;
  char *request; /* NULL once the handshake is done */
  size_t requested;
  struct reader reader;
  uint64_t messages;
};

struct sink {
  const struct options *options;
  int epoll, listener;
  struct peer **peers;
  int count;
  uint64_t messages, verified;
};

static void accept_peer(struct sink *sink) {
  int fd = accept4(sink->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  if (sink->count == sink->options->connections) die("more than %d connections", sink->count);
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct peer *peer = allocate(sizeof *peer);
  peer->fd = fd;
  peer->reader.expect_masked = true;
  peer->request = allocate(REQUEST_MOST);
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)sink->count};
  epoll_ctl(sink->epoll, EPOLL_CTL_ADD, fd, &event);
  sink->peers[sink->count++] = peer;
}

static void answer(const struct peer *peer, const void *bytes, size_t length) {
  if (send(peer->fd, bytes, length, 0) != (ssize_t)length) die("answer: %s", strerror(errno));
}

static void shake_hands(struct peer *peer, const uint8_t *bytes, size_t length) {
  if (peer->requested + length >= REQUEST_MOST) die("request over %d bytes", REQUEST_MOST);
  memcpy(peer->request + peer->requested, bytes, length);
  peer->requested += length;
  const char *end = strstr(peer->request, "\r\n\r\n");
  if (!end) return;
  if (end + 4 != peer->request + peer->requested) die("frames before the answer");
  const char *key = strcasestr(peer->request, "\r\nsec-websocket-key:");
  if (!key) die("request without Sec-WebSocket-Key");
  key += strlen("\r\nsec-websocket-key:");
  key += strspn(key, " \t");
  char accept[29], response[256];
  accept_for(key, strcspn(key, " \t\r"), accept);
  int n = snprintf(response, sizeof response,
                   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Accept: %s\r\n\r\n",
                   accept);
  answer(peer, response, (size_t)n);
  free(peer->request);
  peer->request = NULL;
}

/* The clients' payload is the bytes 0, 1, 2, …: unmasked and compared. */
static void compare(struct sink *sink, const struct peer *peer, const struct piece *piece) {
  if (piece->offset + piece->length > sink->options->size) die("a message is longer than expected");
  if (piece->ends_message && piece->offset + piece->length < sink->options->size) die("a message is shorter than expected");
  unsigned every = sink->options->verify_every;
  if (!every || peer->messages % every) return;
  for (size_t i = 0; i < piece->length; i++) {
    uint8_t byte = piece->bytes[i] ^ piece->key[(piece->frame_offset + i) & 3];
    if (byte != (uint8_t)(piece->offset + i)) die("wrong content in message %llu", (unsigned long long)peer->messages);
  }
  if (piece->ends_message) sink->verified++;
}

static void receive(struct sink *sink, struct peer *peer) {
  static const uint8_t ANSWER[] = {0x82, 0x01, 0x06}, CLOSE[] = {0x88, 0x02, 0x03, 0xe8};
  static uint8_t chunk[CHUNK_BYTES];
  ssize_t n = recv(peer->fd, chunk, sizeof chunk, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    close(peer->fd);
    return;
  }
  if (peer->request) {
    shake_hands(peer, chunk, (size_t)n);
    return;
  }
  const uint8_t *at = chunk;
  struct piece piece;
  enum found found;
  while ((found = read_piece(&peer->reader, &at, chunk + n, &piece)) != FOUND_NOTHING) {
    if (found == FOUND_CONTROL) {
      if (piece.opcode != 8) continue;
      answer(peer, CLOSE, sizeof CLOSE);
      shutdown(peer->fd, SHUT_WR);
      continue;
    }
    compare(sink, peer, &piece);
    if (!piece.ends_message) continue;
    sink->messages++;
    if (++peer->messages % (uint64_t)sink->options->in_flight == 0) answer(peer, ANSWER, sizeof ANSWER);
  }
}

static int listen_on_loopback(void) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 511)) die("listen: %s", strerror(errno));
  getsockname(listener, (struct sockaddr *)&address, &length);
  printf("{\"event\":\"listening\",\"port\":%d}\n", ntohs(address.sin_port));
  return listener;
}

/* Runs until stdin ends, or the time is over. */
int run_sink(const struct options *options) {
  struct sink sink = {.options = options, .epoll = epoll_create1(EPOLL_CLOEXEC), .listener = listen_on_loopback()};
  sink.peers = allocate((size_t)options->connections * sizeof *sink.peers);
  struct epoll_event listening = {.events = EPOLLIN, .data.u64 = LISTENER}, input = {.events = EPOLLIN, .data.u64 = STDIN};
  epoll_ctl(sink.epoll, EPOLL_CTL_ADD, sink.listener, &listening);
  epoll_ctl(sink.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &input);

  struct epoll_event events[64];
  uint64_t stop = now_ns() + (uint64_t)(options->seconds * 1e9);
  bool running = true;
  while (running && now_ns() < stop) {
    int n = epoll_wait(sink.epoll, events, 64, 100);
    for (int i = 0; i < n; i++) {
      if (events[i].data.u64 == LISTENER) accept_peer(&sink);
      else if (events[i].data.u64 == STDIN) running = running && wait_for_line();
      else receive(&sink, sink.peers[events[i].data.u64]);
    }
  }
  printf("{\"event\":\"result\",\"messages\":%llu,\"verified\":%llu,\"cpuSeconds\":%.6f}\n", (unsigned long long)sink.messages,
         (unsigned long long)sink.verified, cpu_seconds());
  return 0;
}
