/* What the parts of the load generator share. Plain C11 and Linux; one thread; loopback only. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

/* --- options.c ------------------------------------------------------------------------------------------------ */

struct options {
  const char *mode;       /* echo, churn, idle or sink */
  int port;               /* of the server on 127.0.0.1 */
  int connections;        /* open at the same time */
  int in_flight;          /* messages per connection that wait for their echo; in sink mode: messages per answer */
  size_t size;            /* payload bytes of a message */
  size_t fragment;        /* largest frame payload; 0: a message is one frame */
  bool text;              /* text instead of binary messages */
  bool raw;               /* no WebSocket server: the peer gives back every byte as it came */
  bool control;           /* wait for a line on stdin before the load, and for its end before closing */
  uint64_t messages;      /* stop after so many messages (connections in churn mode); 0: by time alone */
  double seconds;         /* stop after so long */
  unsigned verify_every;  /* compare the content of every n-th message; 0: of none */
};

struct options parse_options(int argc, char **argv);
noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *allocate(size_t bytes);
uint64_t now_ns(void);
uint64_t next_random(void);
/* Waits for one line on stdin; false: stdin has ended. */
bool wait_for_line(void);
/* User and system time of this process, in seconds. */
double cpu_seconds(void);

/* --- stream.c: what is sent --------------------------------------------------------------------------------------- */

/* A ring of whole messages, framed and masked beforehand, each frame with a key of its own. */
struct stream {
  uint8_t *wire;    /* count messages of unit bytes each */
  uint8_t *plain;   /* count payloads of size bytes each; in raw mode the same memory as wire */
  size_t unit;      /* wire bytes of one message */
  size_t size;      /* bytes of one message as the peer must send it back */
  size_t count;
};

struct stream make_stream(const struct options *options);

/* --- reader.c: what comes back ------------------------------------------------------------------------------------ */

/* Frame parser by length, for bytes that arrive in any pieces. Zero-initialised is ready for use. */
struct reader {
  bool expect_masked;
  uint8_t header[14];
  unsigned have;            /* header bytes collected; all of them while payload is awaited */
  unsigned need;            /* header bytes this frame has, known from its second byte on */
  bool in_payload;
  uint64_t frame_length;
  uint64_t frame_offset;    /* payload bytes of this frame seen so far */
  uint64_t message_offset;  /* payload bytes of this message before this frame's */
  int message_opcode;       /* 0: between messages */
};

enum found {
  FOUND_NOTHING, /* the bytes are used up */
  FOUND_DATA,    /* a piece of a data message */
  FOUND_CONTROL  /* the end of a control frame; piece.opcode says which */
};

struct piece {
  int opcode;           /* of the message: 1 or 2; or of the control frame */
  const uint8_t *bytes; /* inside the caller's chunk */
  size_t length;
  uint64_t offset;      /* of these bytes in the message */
  uint64_t frame_offset;
  const uint8_t *key;   /* 4 bytes, or NULL if the frame is not masked */
  bool ends_message;
};

/* Takes the next piece off the front of [*at, end). A broken frame ends the program. */
enum found read_piece(struct reader *reader, const uint8_t **at, const uint8_t *end, struct piece *piece);

/* --- open.c: connections ------------------------------------------------------------------------------------------ */

/* One client connection up to its 101; the state is the caller's to look at. */
struct opening {
  int fd;
  bool connected;
  char *response;     /* what has arrived of the answer */
  size_t received;
  char accept[29];    /* the Sec-WebSocket-Accept it must hold */
};

enum progress { PROGRESS_WAIT, PROGRESS_OPEN };

void raise_file_limit(int connections);
/* Starts to connect from 127.0.0.1 to 127.0.0.1, and watches the socket in epoll with this number. */
void start_opening(struct opening *opening, int epoll, uint64_t number, const struct options *options);
/* Goes on after an epoll event. Raw connections are open as soon as they are connected. */
enum progress continue_opening(struct opening *opening, const struct options *options);
/* Opens all connections, a bounded number of handshakes at a time. Event numbers are indexes into fds. */
void open_all(int *fds, int epoll, const struct options *options);

/* --- sha1.c ------------------------------------------------------------------------------------------------------- */

/* Sec-WebSocket-Accept for a key of key_length characters: 28 characters and a NUL. */
void accept_for(const char *key, size_t key_length, char accept[29]);
void base64(const uint8_t *bytes, size_t length, char *text);

/* --- histogram.c: durations in ns, 32 steps per power of two -------------------------------------------------------- */

struct histogram {
  uint64_t counts[64 * 32];
  uint64_t total;
};

void record(struct histogram *histogram, uint64_t ns, uint64_t times);
/* In microseconds. */
double percentile(const struct histogram *histogram, double percent);

/* --- the modes ---------------------------------------------------------------------------------------------------- */

int run_echo(const struct options *options);
int run_churn(const struct options *options);
int run_idle(const struct options *options);
int run_sink(const struct options *options);

#endif
