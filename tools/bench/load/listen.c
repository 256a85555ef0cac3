/* The server for clients under test: listens, shakes hands and parses what they send; a mode says what comes of it. */
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

struct listening {
  const struct options *options;
  const struct service *service;
  int epoll, listener;
  struct peer **peers;
  int count;
};

static void accept_peer(struct listening *listening) {
  int fd = accept4(listening->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  if (listening->count == listening->options->connections) die("more than %d connections", listening->count);
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct peer *peer = allocate(sizeof *peer);
  peer->fd = fd;
  peer->epoll = listening->epoll;
  peer->number = (uint64_t)listening->count;
  peer->reader.expect_masked = true;
  peer->request = allocate(REQUEST_MOST);
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = peer->number};
  epoll_ctl(peer->epoll, EPOLL_CTL_ADD, fd, &event);
  listening->peers[listening->count++] = peer;
}

void answer(const struct peer *peer, const void *bytes, size_t length) {
  if (send(peer->fd, bytes, length, 0) != (ssize_t)length) die("answer: %s", strerror(errno));
}

void watch_room(const struct peer *peer, bool on) {
  struct epoll_event event = {.events = EPOLLIN | (on ? (uint32_t)EPOLLOUT : 0), .data.u64 = peer->number};
  epoll_ctl(peer->epoll, EPOLL_CTL_MOD, peer->fd, &event);
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

static void receive(const struct service *service, struct peer *peer) {
  static const uint8_t CLOSE[] = {0x88, 0x02, 0x03, 0xe8};
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
    if (found == FOUND_DATA) {
      service->piece(service->state, peer, &piece);
    } else if (piece.opcode == 8) {
      answer(peer, CLOSE, sizeof CLOSE);
      shutdown(peer->fd, SHUT_WR);
    }
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

void serve(const struct options *options, const struct service *service) {
  struct listening listening = {
      .options = options, .service = service, .epoll = epoll_create1(EPOLL_CLOEXEC), .listener = listen_on_loopback()};
  listening.peers = allocate((size_t)options->connections * sizeof *listening.peers);
  struct epoll_event incoming = {.events = EPOLLIN, .data.u64 = LISTENER}, input = {.events = EPOLLIN, .data.u64 = STDIN};
  epoll_ctl(listening.epoll, EPOLL_CTL_ADD, listening.listener, &incoming);
  epoll_ctl(listening.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &input);

  struct epoll_event events[64];
  uint64_t stop = now_ns() + (uint64_t)(options->seconds * 1e9);
  bool running = true;
  while (running && now_ns() < stop) {
    int n = epoll_wait(listening.epoll, events, 64, 100);
    for (int i = 0; i < n; i++) {
      if (events[i].data.u64 == LISTENER) accept_peer(&listening);
      else if (events[i].data.u64 == STDIN) running = running && wait_for_line();
      else {
        struct peer *peer = listening.peers[events[i].data.u64];
        if (events[i].events & EPOLLOUT) service->room(service->state, peer);
        if (events[i].events & ~(uint32_t)EPOLLOUT) receive(service, peer);
      }
    }
  }
}
