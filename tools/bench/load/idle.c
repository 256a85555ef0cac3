/* Connections that stay open and say nothing, until stdin ends. */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int run_idle(const struct options *options) {
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  raise_file_limit(options->connections);
  struct wire *wires = allocate((size_t)options->connections * sizeof *wires);
  open_all(wires, epoll, options);
  printf("{\"event\":\"ready\",\"connections\":%d}\n", options->connections);
  while (options->control && wait_for_line()) continue;

  /* All of them must still be there: anything but silence and pings is a fault. */
  uint8_t chunk[4096];
  for (int i = 0; i < options->connections; i++) {
    ssize_t n = recv(wires[i].fd, chunk, sizeof chunk, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN)) die("connection %d was lost", i);
    if (n > 0 && chunk[0] != 0x89) die("connection %d was sent more than a ping", i);
  }
  printf("{\"event\":\"result\",\"messages\":%d}\n", options->connections);
  return 0;
}
