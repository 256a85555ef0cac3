/*
 * Clients for a soak: so many that only live, answering pings, or so many that have messages echoed at a steady rate.
 * Built with the parts of the benchmark's load generator. One thread, epoll, loopback; one JSON object per line on stdout.
 * A connection that ends is counted and not replaced. Each line on stdin has the figures printed and begun anew.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static const char USAGE[] = "usage: soak PORT idle COUNT\n"
                            "       soak PORT active COUNT,BYTES,SECONDS,FORM[,FRAGMENT] …\n"
                            "COUNT connections, each with a message of BYTES every SECONDS; FORM: binary, text, json or deflate\n";

enum { CHUNK_BYTES = 256 * 1024, CLASSES_MOST = 16, CONTROL_MOST = 125, VERIFY_EVERY = 8, STDIN_EVENT = 1 << 30 };

struct class {
  struct options options;
  struct agreement agreement;
  struct stream stream;
  struct connection *connections;
  uint64_t interval_ns;
  uint64_t turns; /* messages that have come due, one connection after the other */
  uint64_t messages;
  uint64_t verified;
  struct histogram round_trips;
  uint64_t longest_ns;
};

struct connection {
  struct class *class; /* NULL: it is idle */
  int fd;              /* -1: it has ended */
  bool in_flight;
  uint64_t due;        /* of the message in flight, or of the one that waits behind it */
  uint64_t waits_due;  /* 0: none waits */
  uint64_t first, sent, received;
  uint64_t sent_bytes; /* as of the ring */
  struct reader reader;
  struct checker checker;
  uint8_t control[2 + CONTROL_MOST]; /* idle: the frame that has begun */
  unsigned control_bytes;
  uint8_t pong[CONTROL_MOST]; /* active: to be sent behind the message that is being sent */
  int pong_length;            /* -1: none */
};

static struct connection *connections;
static int count, alive, epoll_fd;
static struct class classes[CLASSES_MOST];
static int class_count;
static uint64_t started_ns, pings;

static void lose(struct connection *connection) {
  close(connection->fd);
  connection->fd = -1;
  alive--;
}

static bool send_pong(struct connection *connection, const uint8_t *payload, size_t length) {
  uint8_t frame[6 + CONTROL_MOST] = {0x8a, (uint8_t)(0x80 | length)};
  uint64_t random = next_random();
  memcpy(frame + 2, &random, 4);
  for (size_t i = 0; i < length; i++) frame[6 + i] = payload[i] ^ frame[2 + (i & 3)];
  return send(connection->fd, frame, 6 + length, 0) == (ssize_t)(6 + length);
}

/* --- active ---------------------------------------------------------------------------------------------------- */

static uint64_t due_bytes(const struct connection *connection) {
  return stream_offset(&connection->class->stream, connection->sent) - connection->sent_bytes;
}

static void watch(struct connection *connection, bool for_room) {
  struct epoll_event event = {.events = EPOLLIN | (for_room ? EPOLLOUT : 0), .data.u64 = (uint64_t)(connection - connections)};
  epoll_ctl(epoll_fd, EPOLL_CTL_MOD, connection->fd, &event);
}

static void flush(struct connection *connection) {
  const struct stream *stream = &connection->class->stream;
  size_t ring = stream->starts[stream->count];
  bool was_full = false;
  for (uint64_t pending; (pending = due_bytes(connection)) > 0;) {
    size_t at = connection->sent_bytes % ring;
    size_t length = ring - at < pending ? ring - at : (size_t)pending;
    ssize_t n = send(connection->fd, stream->wire + at, length, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) return lose(connection);
    if (n < 0) {
      was_full = true;
      break;
    }
    connection->sent_bytes += (uint64_t)n;
  }
  watch(connection, was_full);
  if (was_full || connection->pong_length < 0) return;
  if (!send_pong(connection, connection->pong, (size_t)connection->pong_length)) return lose(connection);
  connection->pong_length = -1;
}

static void send_next(struct connection *connection, uint64_t due) {
  connection->in_flight = true;
  connection->due = due;
  connection->sent++;
  flush(connection);
}

/* What is due by now. A connection whose last echo is not there yet sends as soon as it is, and its latency counts from when it was due. */
static void send_due(struct class *class, uint64_t now) {
  uint64_t connections_of = (uint64_t)class->options.connections;
  for (;;) {
    uint64_t due = started_ns + class->turns * class->interval_ns / connections_of;
    if (due > now) return;
    struct connection *connection = &class->connections[class->turns++ % connections_of];
    if (connection->fd < 0) continue;
    if (!connection->in_flight) send_next(connection, due);
    else if (!connection->waits_due) connection->waits_due = due;
  }
}

static void complete(struct connection *connection, uint64_t now) {
  struct class *class = connection->class;
  if (!connection->in_flight) die("an echo of nothing");
  uint64_t took = now - connection->due;
  record(&class->round_trips, took, 1);
  if (took > class->longest_ns) class->longest_ns = took;
  class->messages++;
  connection->received++;
  connection->in_flight = false;
  uint64_t due = connection->waits_due;
  connection->waits_due = 0;
  if (due) send_next(connection, due);
}

static void ping_active(struct connection *connection, const struct piece *piece) {
  pings++;
  /* One that came in two chunks is answered with its end: as good a sign of life. */
  size_t length = piece->length < CONTROL_MOST ? piece->length : CONTROL_MOST;
  memcpy(connection->pong, piece->bytes, length);
  connection->pong_length = (int)length;
  if (due_bytes(connection) == 0) flush(connection);
}

static void receive_active(struct connection *connection, const uint8_t *at, const uint8_t *end, uint64_t now) {
  struct class *class = connection->class;
  struct piece piece;
  int expected = class->options.text ? 1 : 2;
  while (connection->fd >= 0) {
    enum found found = read_piece(&connection->reader, &at, end, &piece);
    if (found == FOUND_NOTHING) return;
    if (found == FOUND_CONTROL) {
      if (piece.opcode == 8) return lose(connection);
      if (piece.opcode == 9) ping_active(connection, &piece);
      continue;
    }
    if (piece.opcode != expected) die("echo with opcode %d", piece.opcode);
    bool wanted = (connection->received ^ (uint64_t)(connection - connections)) % VERIFY_EVERY == 0;
    const uint8_t *document = class->stream.plain + connection->received % class->stream.count * class->stream.size;
    if (check_piece(&connection->checker, &piece, document, class->stream.size, wanted)) class->verified++;
    if (piece.ends_message) complete(connection, now);
  }
}

/* --- idle ------------------------------------------------------------------------------------------------------ */

static void control_idle(struct connection *connection) {
  const uint8_t *frame = connection->control;
  connection->control_bytes = 0;
  if (frame[0] == 0x88) return lose(connection);
  if (frame[0] != 0x89) return; /* a pong */
  pings++;
  if (!send_pong(connection, frame + 2, frame[1])) lose(connection);
}

static void receive_idle(struct connection *connection, const uint8_t *at, const uint8_t *end) {
  while (at < end && connection->fd >= 0) {
    connection->control[connection->control_bytes++] = *at++;
    if (connection->control_bytes == 1 && connection->control[0] >> 3 != 0x88 >> 3) die("an idle connection was sent a message");
    if (connection->control_bytes == 2 && connection->control[1] > CONTROL_MOST) die("a control frame of a wrong length");
    if (connection->control_bytes >= 2 && connection->control_bytes == 2u + connection->control[1]) control_idle(connection);
  }
}

/* --- both ------------------------------------------------------------------------------------------------------ */

static void receive(struct connection *connection) {
  static uint8_t chunk[CHUNK_BYTES];
  ssize_t n = recv(connection->fd, chunk, sizeof chunk, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) return lose(connection);
  if (connection->class) receive_active(connection, chunk, chunk + n, now_ns());
  else receive_idle(connection, chunk, chunk + n);
}

static void report(const char *event) {
  printf("{\"event\":\"%s\",\"connections\":%d,\"alive\":%d,\"pings\":%llu,\"classes\":[", event, count, alive, (unsigned long long)pings);
  struct histogram all = {0};
  uint64_t longest = 0, messages = 0, verified = 0;
  for (int i = 0; i < class_count; i++) {
    struct class *class = &classes[i];
    for (size_t bucket = 0; bucket < sizeof all.counts / sizeof *all.counts; bucket++) all.counts[bucket] += class->round_trips.counts[bucket];
    all.total += class->round_trips.total;
    if (class->longest_ns > longest) longest = class->longest_ns;
    messages += class->messages;
    verified += class->verified;
    printf("%s{\"connections\":%d,\"size\":%zu,\"deflate\":%s,\"messages\":%llu,\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}", i ? "," : "",
           class->options.connections, class->options.size, class->agreement.deflate ? "true" : "false",
           (unsigned long long)class->messages, percentile(&class->round_trips, 50), percentile(&class->round_trips, 99),
           (double)class->longest_ns / 1e3);
    class->round_trips = (struct histogram){0};
    class->longest_ns = class->messages = class->verified = 0;
  }
  printf("],\"messages\":%llu,\"verified\":%llu,\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f}\n", (unsigned long long)messages,
         (unsigned long long)verified, percentile(&all, 50), percentile(&all, 99), percentile(&all, 99.9), (double)longest / 1e3);
  pings = 0;
}

/* False: stdin has ended. */
static bool read_command(void) {
  char bytes[64];
  ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
  if (n == 0) return false;
  for (ssize_t i = 0; i < n; i++) {
    if (bytes[i] == '\n') report("figures");
  }
  return true;
}

static void run(void) {
  struct epoll_event events[256];
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = STDIN_EVENT};
  fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &event)) die("stdin cannot be watched: %s", strerror(errno));
  started_ns = now_ns();
  for (;;) {
    int n = epoll_wait(epoll_fd, events, 256, class_count ? 1 : -1);
    if (n < 0 && errno != EINTR) die("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < n; i++) {
      if (events[i].data.u64 == STDIN_EVENT) {
        if (!read_command()) return;
        continue;
      }
      struct connection *connection = &connections[events[i].data.u64];
      if (connection->fd >= 0 && events[i].events & EPOLLOUT) flush(connection);
      if (connection->fd >= 0 && events[i].events & ~(uint32_t)EPOLLOUT) receive(connection);
    }
    for (int i = 0; i < class_count; i++) send_due(&classes[i], now_ns());
  }
}

/* --- opening --------------------------------------------------------------------------------------------------- */

static struct class parse_class(char *text) {
  struct class class = {.options = {.verify_every = VERIFY_EVERY}};
  double seconds = 0;
  char form[16] = "";
  int fragment = 0, size = -1;
  int fields = sscanf(text, "%d,%d,%lf,%15[a-z],%d", &class.options.connections, &size, &seconds, form, &fragment);
  if (fields < 4 || class.options.connections < 1 || size < 1 || seconds <= 0) die("what is %s?\n%s", text, USAGE);
  class.options.size = (size_t)size;
  class.options.fragment = (size_t)fragment;
  class.options.deflate = !strcmp(form, "deflate");
  class.options.json = class.options.deflate || !strcmp(form, "json");
  class.options.text = class.options.json || !strcmp(form, "text");
  if (!class.options.text && strcmp(form, "binary")) die("what is %s?\n%s", form, USAGE);
  if (class.options.json && class.options.size < JSON_LEAST) die("a JSON document has %d bytes at least", JSON_LEAST);
  class.interval_ns = (uint64_t)(seconds * 1e9);
  return class;
}

/* Opens the next connections in a row, and watches them by their numbers. */
static struct agreement open_next(struct connection *first, const struct options *options) {
  int opening = epoll_create1(EPOLL_CLOEXEC);
  struct wire *wires = allocate((size_t)options->connections * sizeof *wires);
  struct agreement agreement = open_all(wires, opening, options);
  for (int i = 0; i < options->connections; i++) {
    struct connection *connection = &first[i];
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)(connection - connections)};
    connection->fd = wires[i].fd;
    connection->pong_length = -1;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connection->fd, &event)) die("epoll_ctl: %s", strerror(errno));
  }
  free(wires);
  close(opening);
  return agreement;
}

static void open_class(struct class *class, struct connection *first) {
  class->connections = first;
  for (int i = 0; i < class->options.connections; i++) first[i].class = class;
  class->agreement = open_next(first, &class->options);
  class->stream = make_stream(&class->options, &class->agreement);
  for (int i = 0; i < class->options.connections; i++) {
    struct connection *connection = &first[i];
    connection->first = class->stream.count * (uint64_t)i / (uint64_t)class->options.connections;
    connection->sent = connection->received = connection->first;
    connection->sent_bytes = stream_offset(&class->stream, connection->first);
    connection->reader.allow_compressed = class->agreement.deflate;
    connection->checker.agreement = &class->agreement;
  }
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc < 4) die("%s", USAGE);
  int port = atoi(argv[1]);
  struct options idle = {.port = port};
  if (!strcmp(argv[2], "idle")) count = idle.connections = atoi(argv[3]);
  else if (strcmp(argv[2], "active")) die("%s", USAGE);
  else {
    for (int i = 3; i < argc && class_count < CLASSES_MOST; i++) {
      classes[class_count] = parse_class(argv[i]);
      classes[class_count].options.port = port;
      count += classes[class_count++].options.connections;
    }
  }
  if (port < 1 || count < 1) die("%s", USAGE);
  raise_file_limit(count);
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  connections = allocate((size_t)count * sizeof *connections);
  if (idle.connections) open_next(connections, &idle);
  struct connection *next = connections;
  for (int i = 0; i < class_count; i++) {
    open_class(&classes[i], next);
    next += classes[i].options.connections;
  }
  alive = count;
  printf("{\"event\":\"ready\",\"connections\":%d}\n", count);
  run();
  report("result");
  return 0;
}
