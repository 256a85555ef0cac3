/* Client connections up to the server's 101. */
#define _GNU_SOURCE
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* As browsers offer it. */
static const char DEFLATE_OFFER[] = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

enum { RESPONSE_MOST = 4096, OPENING_MOST = 128, STALL_MS = 20000 };

void raise_file_limit(int connections) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if ((rlim_t)connections + 16 > limit.rlim_max) {
    die("%d connections, but only %llu file descriptors", connections, (unsigned long long)limit.rlim_max);
  }
}

void start_opening(struct opening *opening, int epoll, uint64_t number, const struct options *options) {
  static uint32_t turn = 0;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket: %s", strerror(errno));
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

  /* Sources 127.0.0.1 to 127.0.0.100: a short-lived connection leaves its port unusable for a minute. */
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + turn++ % 100)};
  if (bind(fd, (struct sockaddr *)&from, sizeof from)) die("bind: %s", strerror(errno));
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)options->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) die("connect: %s", strerror(errno));

  *opening = (struct opening){.wire.fd = fd};
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.u64 = number};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl: %s", strerror(errno));
}

static void send_request(struct opening *opening, const struct options *options) {
  uint8_t nonce[16];
  for (int i = 0; i < 16; i += 8) {
    uint64_t random = next_random();
    memcpy(nonce + i, &random, 8);
  }
  char key[25], request[512];
  base64(nonce, sizeof nonce, key);
  accept_for(key, 24, opening->accept);
  int length = snprintf(request, sizeof request,
                        "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                        options->port, key, options->deflate ? DEFLATE_OFFER : "");
  struct iovec part = {request, (size_t)length};
  if (write_wire(&opening->wire, &part, 1) != length) die("request: %s", strerror(errno));
  opening->response = allocate(RESPONSE_MOST);
}

static void check_response(struct opening *opening, const char *end, const struct options *options) {
  char *response = opening->response;
  if (strncmp(response, "HTTP/1.1 101 ", 13)) die("no 101 but: %.*s", (int)strcspn(response, "\r\n"), response);
  const char *accept = strcasestr(response, "\r\nsec-websocket-accept:");
  if (!accept) die("101 without Sec-WebSocket-Accept");
  accept += strlen("\r\nsec-websocket-accept:");
  accept += strspn(accept, " \t");
  if (strncmp(accept, opening->accept, 28)) die("wrong Sec-WebSocket-Accept");
  if (end + 4 != response + opening->received) die("the server spoke first");
  opening->agreement = read_agreement(response, options->deflate);
}

enum progress continue_opening(struct opening *opening, const struct options *options) {
  if (!opening->connected) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(opening->wire.fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error) die("connect: %s", strerror(error));
    opening->connected = true;
    if (options->tls) start_tls(&opening->wire);
  }
  if (!opening->secured) {
    if (opening->wire.tls && !finish_tls(&opening->wire)) return PROGRESS_WAIT;
    opening->secured = true;
    if (options->raw) return PROGRESS_OPEN;
    send_request(opening, options);
    return PROGRESS_WAIT;
  }
  ssize_t n = read_wire(&opening->wire, opening->response + opening->received, RESPONSE_MOST - 1 - opening->received);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return PROGRESS_WAIT;
  if (n < 0) die("handshake: %s", strerror(errno));
  if (n == 0) die("handshake: the connection ended, or its answer is over %d bytes", RESPONSE_MOST);
  opening->received += (size_t)n;
  opening->response[opening->received] = 0;
  const char *end = strstr(opening->response, "\r\n\r\n");
  if (!end) return PROGRESS_WAIT;
  check_response(opening, end, options);
  free(opening->response);
  opening->response = NULL;
  return PROGRESS_OPEN;
}

static bool agree(const struct agreement *a, const struct agreement *b) {
  return a->deflate == b->deflate && a->server_no_takeover == b->server_no_takeover &&
         a->client_no_takeover == b->client_no_takeover && a->server_bits == b->server_bits && a->client_bits == b->client_bits;
}

struct agreement open_all(struct wire *wires, int epoll, const struct options *options) {
  struct opening *openings = allocate((size_t)options->connections * sizeof *openings);
  struct epoll_event events[64];
  int started = 0, open = 0;
  while (open < options->connections) {
    while (started < options->connections && started - open < OPENING_MOST) {
      start_opening(&openings[started], epoll, (uint64_t)started, options);
      started++;
    }
    int n = epoll_wait(epoll, events, 64, STALL_MS);
    if (n == 0) die("handshakes stalled at %d of %d", open, options->connections);
    for (int i = 0; i < n; i++) {
      uint64_t number = events[i].data.u64;
      struct opening *opening = &openings[number];
      bool was_connected = opening->connected;
      bool is_open = continue_opening(opening, options) == PROGRESS_OPEN;
      if (is_open || !was_connected) { /* from now on only what comes in is of interest */
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = number};
        epoll_ctl(epoll, EPOLL_CTL_MOD, opening->wire.fd, &event);
      }
      if (is_open) {
        wires[number] = opening->wire;
        open++;
      }
    }
  }
  struct agreement agreement = openings[0].agreement;
  for (int i = 1; i < options->connections; i++) {
    if (!agree(&openings[i].agreement, &agreement)) die("the server does not give every connection the same parameters");
  }
  free(openings);
  return agreement;
}
