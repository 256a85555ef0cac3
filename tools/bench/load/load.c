/*
 * The load generator of the benchmark: one thread, epoll, messages framed and masked before the clock starts, so that
 * the server is the slower side. Prints one JSON object per line on stdout; a fault goes to stderr with status 1.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  struct options options = parse_options(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (!strcmp(options.mode, "echo")) return run_echo(&options);
  if (!strcmp(options.mode, "churn")) return run_churn(&options);
  if (!strcmp(options.mode, "idle")) return run_idle(&options);
  if (!strcmp(options.mode, "broadcast")) return run_broadcast(&options);
  if (!strcmp(options.mode, "sink")) return run_sink(&options);
  if (!strcmp(options.mode, "source")) return run_source(&options);
  die("unknown mode %s", options.mode);
}
