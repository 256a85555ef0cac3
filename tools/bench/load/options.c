/* Command line, clocks and the way out. */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const char USAGE[] =
    "usage: load MODE --port N [options]\n"
    "  echo       keep messages in flight on open connections and check what comes back\n"
    "  churn      open and close connections\n"
    "  idle       open connections and hold them until stdin ends\n"
    "  broadcast  have the server send to all connections, --in-flight messages at a time; --messages counts these times\n"
    "             --each: one at a time, so many under way\n"
    "  sink       be the server: listen, count messages, answer every n-th one\n"
    "  source     be the server: a client sends a number, and gets so many messages\n"
    "options: --connections N  --in-flight N  --size BYTES  --fragment BYTES  --text  --mixed  --raw  --tls\n"
    "         --json  --deflate  --first  --messages N  --seconds S  --rate N  --verify N  --control\n";

noreturn void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("load: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

void *allocate(size_t bytes) {
  void *memory = calloc(1, bytes ? bytes : 1);
  if (!memory) die("out of memory");
  return memory;
}

uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* splitmix64 from a fixed seed: every run sends the same bytes. */
uint64_t next_random(void) {
  static uint64_t state = 20111211;
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

bool wait_for_line(void) {
  char byte;
  for (;;) {
    ssize_t n = read(STDIN_FILENO, &byte, 1);
    if (n == 0) return false;
    if (n < 0 && errno != EINTR) die("stdin: %s", strerror(errno));
    if (n == 1 && byte == '\n') return true;
  }
}

double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double number(const char *name, const char *text, double least, double most) {
  char *end = NULL;
  double value = text ? strtod(text, &end) : 0;
  if (!text || end == text || *end) die("%s needs a number", name);
  if (!(value >= least && value <= most)) die("%s is %s, expected %g to %g", name, text, least, most);
  return value;
}

struct options parse_options(int argc, char **argv) {
  struct options options = {.connections = 1, .in_flight = 1, .size = 16, .seconds = 1, .verify_every = 1};
  if (argc < 2) {
    fputs(USAGE, stderr);
    exit(2);
  }
  options.mode = argv[1];
  for (int i = 2; i < argc; i++) {
    const char *name = argv[i];
    const char *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (!strcmp(name, "--text")) options.text = true;
    else if (!strcmp(name, "--mixed")) options.mixed = options.text = true;
    else if (!strcmp(name, "--each")) options.each = true;
    else if (!strcmp(name, "--tls")) options.tls = true;
    else if (!strcmp(name, "--raw")) options.raw = true;
    else if (!strcmp(name, "--json")) options.json = options.text = true;
    else if (!strcmp(name, "--deflate")) options.deflate = true;
    else if (!strcmp(name, "--first")) options.first = true;
    else if (!strcmp(name, "--control")) options.control = true;
    else {
      if (!strcmp(name, "--port")) options.port = (int)number(name, value, 1, 65535);
      else if (!strcmp(name, "--connections")) options.connections = (int)number(name, value, 1, 60000);
      else if (!strcmp(name, "--in-flight")) options.in_flight = (int)number(name, value, 1, 4096);
      else if (!strcmp(name, "--size")) options.size = (size_t)number(name, value, 0, 256 << 20);
      else if (!strcmp(name, "--fragment")) options.fragment = (size_t)number(name, value, 0, 256 << 20);
      else if (!strcmp(name, "--messages")) options.messages = (uint64_t)number(name, value, 0, 1e9);
      else if (!strcmp(name, "--seconds")) options.seconds = number(name, value, 0.001, 600);
      else if (!strcmp(name, "--rate")) options.rate = number(name, value, 0, 1e9);
      else if (!strcmp(name, "--verify")) options.verify_every = (unsigned)number(name, value, 0, 1e9);
      else {
        fputs(USAGE, stderr);
        die("unknown option %s", name);
      }
      i++;
    }
  }
  if (options.tls && strcmp(options.mode, "echo")) die("--tls is for echo");
  if (options.json && options.size < JSON_LEAST) die("--size is %zu, a JSON document needs %d bytes", options.size, JSON_LEAST);
  if (options.port == 0 && strcmp(options.mode, "sink") && strcmp(options.mode, "source")) die("--port is missing");
  return options;
}
