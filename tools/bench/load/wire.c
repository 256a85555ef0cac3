/* The bytes of a connection, plain or through TLS. The peer's certificate is not looked at: it is on loopback, and made on the spot. */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#ifdef WITH_TLS
#include <openssl/err.h>
#include <openssl/ssl.h>

static SSL_CTX *context(void) {
  static SSL_CTX *context;
  if (context) return context;
  context = SSL_CTX_new(TLS_client_method());
  if (!context) die("SSL_CTX_new");
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
  /* What is tried again after a full socket begins with the same bytes, and may be longer. */
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY); /* a session ticket is no reason to wait */
  return context;
}

void start_tls(struct wire *wire) {
  wire->tls = SSL_new(context());
  if (!wire->tls || !SSL_set_fd(wire->tls, wire->fd)) die("SSL_new");
  SSL_set_connect_state(wire->tls);
}

/* What recv and send would return. */
static ssize_t result_of(const struct wire *wire, int result, const char *what) {
  if (result > 0) return result;
  int error = SSL_get_error(wire->tls, result);
  if (error == SSL_ERROR_ZERO_RETURN) return 0;
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
    errno = EAGAIN;
    return -1;
  }
  unsigned long reason = ERR_get_error();
  if (error == SSL_ERROR_SSL && reason) die("TLS %s: %s", what, ERR_reason_error_string(reason));
  return error == SSL_ERROR_SYSCALL && errno ? -1 : 0;
}

bool finish_tls(struct wire *wire) {
  errno = 0;
  ssize_t result = result_of(wire, SSL_do_handshake(wire->tls), "handshake");
  if (result == 0) die("the server ended the TLS handshake");
  if (result < 0 && errno != EAGAIN) die("TLS handshake: %s", strerror(errno));
  return result > 0;
}

static ssize_t read_tls(const struct wire *wire, void *to, size_t size) {
  errno = 0;
  return result_of(wire, SSL_read(wire->tls, to, (int)size), "read");
}

static ssize_t write_tls(const struct wire *wire, const struct iovec *part) {
  errno = 0;
  return result_of(wire, SSL_write(wire->tls, part->iov_base, (int)part->iov_len), "write");
}
#else
void start_tls(struct wire *wire) {
  (void)wire;
  die("--tls: built without OpenSSL, whose headers were not there");
}

bool finish_tls(struct wire *wire) { return wire->fd < 0; }

static ssize_t read_tls(const struct wire *wire, void *to, size_t size) { return recv(wire->fd, to, size, 0); }

static ssize_t write_tls(const struct wire *wire, const struct iovec *part) { return writev(wire->fd, part, 1); }
#endif

ssize_t read_wire(const struct wire *wire, void *to, size_t size) {
  return wire->tls ? read_tls(wire, to, size) : recv(wire->fd, to, size, 0);
}

ssize_t write_wire(const struct wire *wire, const struct iovec *parts, int count) {
  return wire->tls ? write_tls(wire, parts) : writev(wire->fd, parts, count);
}
