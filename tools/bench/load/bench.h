/* What the parts of the load generator share. Plain C11 and Linux; one thread; loopback only. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>
#include <sys/types.h>
#include <sys/uio.h>

/* --- options.c ------------------------------------------------------------------------------------------------ */

struct options {
  const char *mode;       /* echo, churn, idle, broadcast, sink or source */
  int port;               /* of the server on 127.0.0.1 */
  int connections;        /* open at the same time */
  int in_flight;          /* messages per connection that wait for their echo; sink: messages per answer; broadcast: messages at a time */
  bool each;              /* broadcast: each is asked for by itself, when an earlier one has arrived */
  size_t size;            /* payload bytes of a message */
  size_t fragment;        /* largest frame payload; 0: a message is one frame */
  bool text;              /* text instead of binary messages */
  bool mixed;             /* text of several scripts instead of ASCII */
  bool json;              /* the messages are JSON documents, and so text */
  bool deflate;           /* permessage-deflate: offered, and what is sent is compressed */
  bool first;             /* each connection exchanges one message before the load is ready */
  bool tls;               /* echo: through TLS */
  bool raw;               /* no WebSocket server: the peer gives back every byte as it came */
  bool control;           /* wait for a line on stdin before the load, and for its end before closing */
  uint64_t messages;      /* stop after so many messages (connections in churn mode, broadcasts in broadcast mode); 0: by time alone */
  double seconds;         /* stop after so long */
  double rate;            /* echo: messages per second on all connections, each waiting for its echo; 0: as fast as the server goes */
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

/* --- json.c --------------------------------------------------------------------------------------------------------- */

enum { JSON_LEAST = 48 };

/* A JSON document of exactly size bytes, ASCII, different at each call. */
void make_json(uint8_t *to, size_t size);

/* --- text.c --------------------------------------------------------------------------------------------------------- */

/* Printable ASCII of exactly size bytes. */
void make_ascii(uint8_t *to, size_t size);
/* Words of several scripts, with characters of 1 to 4 bytes: UTF-8 of exactly size bytes. */
void make_mixed(uint8_t *to, size_t size);

/* --- deflate.c: permessage-deflate, RFC 7692 ------------------------------------------------------------------------ */

/* What the server made of the offer "permessage-deflate; client_max_window_bits". */
struct agreement {
  bool deflate;
  bool server_no_takeover, client_no_takeover;
  int server_bits, client_bits;
};

/* From the head of a 101 response. Anything but a flawless answer to the offer ends the program. */
struct agreement read_agreement(const char *response, bool offered);

/* The most bytes that compress_message may write. */
size_t compressed_bound(size_t size);
/* A payload that needs no earlier message, so that it is good with and without context takeover. Returns its size. */
size_t compress_message(const struct agreement *agreement, const uint8_t *plain, size_t size, uint8_t *to);

struct piece;
struct inflater;

/* Compares what comes back on one connection with what must come back. */
struct checker {
  const struct agreement *agreement;
  struct inflater *inflater; /* with takeover for the life of the connection, else for a message */
};

/*
 * One piece of a message that must be this document; `wanted`, the same for all pieces of a message, asks for a look
 * inside. With context takeover every compressed message is looked into, or the window would be lost. A difference ends
 * the program. Returns true when a message has been compared whole.
 */
bool check_piece(struct checker *checker, const struct piece *piece, const uint8_t *document, size_t size, bool wanted);

/* --- stream.c: what is sent --------------------------------------------------------------------------------------- */

/* A ring of whole messages, framed and masked beforehand, each frame with a key of its own. */
struct stream {
  uint8_t *wire;    /* count messages, one behind the other */
  size_t *starts;   /* where in wire each begins; and the end of the last */
  uint8_t *plain;   /* count payloads of size bytes each; in raw mode the same memory as wire */
  size_t size;      /* bytes of one message as the peer must send it back */
  size_t count;
};

struct stream make_stream(const struct options *options, const struct agreement *agreement);
/* Wire bytes of the first so many messages of the ring, going round. */
uint64_t stream_offset(const struct stream *stream, uint64_t messages);

/* --- reader.c: what comes back ------------------------------------------------------------------------------------ */

/* Frame parser by length, for bytes that arrive in any pieces. Zero-initialised is ready for use. */
struct reader {
  bool expect_masked;
  bool allow_compressed;
  uint8_t header[14];
  unsigned have;            /* header bytes collected; all of them while payload is awaited */
  unsigned need;            /* header bytes this frame has, known from its second byte on */
  bool in_payload;
  uint64_t frame_length;
  uint64_t frame_offset;    /* payload bytes of this frame seen so far */
  uint64_t message_offset;  /* payload bytes of this message before this frame's */
  int message_opcode;       /* 0: between messages */
  bool compressed;          /* this message */
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
  bool compressed;      /* the message had RSV1 */
  bool ends_message;
};

/* Takes the next piece off the front of [*at, end). A broken frame ends the program. */
enum found read_piece(struct reader *reader, const uint8_t **at, const uint8_t *end, struct piece *piece);

/* --- wire.c: bytes, plain or through TLS ---------------------------------------------------------------------------- */

struct wire {
  int fd;
  struct ssl_st *tls; /* NULL: plain */
};

void start_tls(struct wire *wire);
/* Goes on with the handshake; false: it waits for the peer. */
bool finish_tls(struct wire *wire);
/* As recv and writev. Through TLS one record at a time, and only the first part is written. */
ssize_t read_wire(const struct wire *wire, void *to, size_t size);
ssize_t write_wire(const struct wire *wire, const struct iovec *parts, int count);

/* --- open.c: connections ------------------------------------------------------------------------------------------ */

/* One client connection up to its 101; the state is the caller's to look at. */
struct opening {
  struct wire wire;
  bool connected;
  bool secured;       /* the TLS handshake is done, where there is one */
  char *response;     /* what has arrived of the answer */
  size_t received;
  char accept[29];    /* the Sec-WebSocket-Accept it must hold */
  struct agreement agreement;
};

enum progress { PROGRESS_WAIT, PROGRESS_OPEN };

void raise_file_limit(int connections);
/* Starts to connect from 127.0.0.1 to 127.0.0.1, and watches the socket in epoll with this number. */
void start_opening(struct opening *opening, int epoll, uint64_t number, const struct options *options);
/* Goes on after an epoll event. Raw connections are open as soon as they are connected. */
enum progress continue_opening(struct opening *opening, const struct options *options);
/* Opens all connections, a bounded number of handshakes at a time; all must agree on the same. Event numbers are indexes into wires. */
struct agreement open_all(struct wire *wires, int epoll, const struct options *options);

/* --- listen.c: the server for clients under test ------------------------------------------------------------------- */

/* One client. The upper half is listen.c's, the lower that of the mode. */
struct peer {
  int fd, epoll;
  uint64_t number;
  char *request; /* NULL once the handshake is done */
  size_t requested;
  struct reader reader;

  uint64_t messages;     /* sink: received; source: the number that is being read */
  uint64_t wanted, sent; /* source: bytes */
  bool is_full;          /* source: the socket takes no more */
};

/* What a mode makes of its clients. */
struct service {
  void *state;
  void (*piece)(void *state, struct peer *peer, const struct piece *piece); /* of a data message */
  void (*room)(void *state, struct peer *peer);                             /* after watch_room: the socket takes more */
};

/* Prints the port, and serves until stdin ends or the time is over. */
void serve(const struct options *options, const struct service *service);
/* For few bytes: they must fit. */
void answer(const struct peer *peer, const void *bytes, size_t length);
void watch_room(const struct peer *peer, bool on);

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
int run_broadcast(const struct options *options);
int run_sink(const struct options *options);
int run_source(const struct options *options);

#endif
