// Small requests over many connections: ping-pong on lasting ones, one per connection, or one and then silence.
#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  WINDOW = 32,       // connects in flight in HOLD
  HOPELESS = 10000,  // errors after which there is no point in going on
  OPENING = 5,       // seconds that PINGPONG gives its connections to get their first answer, which is not counted
};

struct conn {
  int fd;  // -1: not open
  char tag, met;  // met: it has had its first answer
  size_t sent, got;
  double asked;
};

static enum manner manner;
static int to_port, loop, count;
static size_t size;
static struct conn *conns;
static char *request;
static long answered, errors;
static int opened, met, first_error;

static void begin(struct conn *c);
static void drop(struct conn *c);
static void refuse(struct conn *c, int why);
static void progress(struct conn *c);
static char byte_at(struct conn *c, size_t at);
static int send_request(struct conn *c);
static void finish(struct conn *c);
static void reopen(void);
static void hold_open(double limit);
static long unanswered(double limit);
static void report(double seconds, long done, long wrong);

void ask(enum manner how, int port, int n, size_t bytes, double limit) {
  if (n < 1 || bytes < 1 || bytes > CHUNK) errno = EINVAL, fail("connections or size");
  manner = how, to_port = port, count = n, size = bytes;
  conns = calloc(n, sizeof *conns);
  request = malloc(size);
  loop = epoll_create1(EPOLL_CLOEXEC);
  if (!conns || !request || loop < 0) fail("start");
  for (int i = 0; i < n; i++) conns[i] = (struct conn){.fd = -1, .tag = 'a' + i % 26};

  int opening = how == PINGPONG;
  double start = now(), end = start + (opening ? OPENING : limit);
  while (opened < (how == HOLD && n > WINDOW ? WINDOW : n)) begin(&conns[opened++]);
  struct epoll_event ready[256];
  while (now() < end && errors < HOPELESS && !(how == HOLD && answered + errors >= n)) {
    int k = epoll_wait(loop, ready, 256, 50);
    for (int i = 0; i < k; i++) progress(ready[i].data.ptr);
    if (how != HOLD) reopen();
    if (!opening || (met + errors < n && now() < end)) continue;
    opening = 0, answered = 0;
    forget_latencies();
    start = now(), end = start + limit;
  }
  double took = now() - start;
  if (how == HOLD) hold_open(limit);
  else report(took, answered, errors + unanswered(limit));
}

static void begin(struct conn *c) {
  c->sent = c->got = 0;
  c->asked = now();
  c->fd = dial(to_port);
  if (c->fd < 0) {
    refuse(c, errno);
    return;
  }
  // Edge-triggered for both directions at once: no system call when a connection turns from sending to receiving.
  struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
  if (epoll_ctl(loop, EPOLL_CTL_ADD, c->fd, &e)) fail("epoll_ctl");
}

static void drop(struct conn *c) {
  // A reset instead of a FIN: with a FIN every connection would keep its port for a minute (TIME_WAIT), and a few
  // seconds of this test use up all 28,000. The answer is complete by then, so nothing is lost.
  struct linger reset = {.l_onoff = 1, .l_linger = 0};
  if (manner == CONNECT) setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  close(c->fd);
  c->fd = -1;
}

static void refuse(struct conn *c, int why) {
  if (errors++ == 0) first_error = why;
  if (c->fd >= 0) drop(c);
}

static void progress(struct conn *c) {
  if (c->fd < 0) return;
  if (c->sent < size) {
    if (!send_request(c)) refuse(c, errno);
    return;  // the answer, which cannot be here yet, is a new edge
  }
  ssize_t n = recv(c->fd, chunk, CHUNK, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) return refuse(c, n < 0 ? errno : ECONNRESET);
  // Every connection asks with a letter of its own: an answer to somebody else would show.
  if (c->got + n > size) return refuse(c, EBADMSG);
  if (chunk[0] != byte_at(c, c->got) || chunk[n - 1] != byte_at(c, c->got + n - 1)) return refuse(c, EBADMSG);
  c->got += n;
  if (c->got == size) finish(c);
}

// A line, so that a multiplexer can tell it from the next.
static char byte_at(struct conn *c, size_t at) {
  return at == size - 1 ? '\n' : c->tag;
}

static int send_request(struct conn *c) {
  memset(request, c->tag, size);
  request[size - 1] = '\n';
  while (c->sent < size) {
    ssize_t n = send(c->fd, request + c->sent, size - c->sent, 0);
    if (n < 0) return errno == EAGAIN;
    c->sent += n;
  }
  return 1;
}

static void finish(struct conn *c) {
  answered++;
  met += !c->met;
  c->met = 1;
  keep_latency(now() - c->asked);
  if (manner == PINGPONG) {
    c->sent = c->got = 0;
    c->asked = now();
    if (!send_request(c)) refuse(c, errno);
  } else if (manner == CONNECT) {
    drop(c);
    begin(c);
  } else if (opened < count) {
    begin(&conns[opened++]);
  }
}

// Failed connections are opened again after each batch, not at once: a contender that refuses must not cause recursion.
static void reopen(void) {
  for (int i = 0; i < count; i++)
    if (conns[i].fd < 0 && errors < HOPELESS) begin(&conns[i]);
}

// Lets the contender settle, counts the connections that are still open, and keeps them until stdin ends.
static void hold_open(double limit) {
  double start = now();
  await_stdin_end(2);
  long open = 0;
  for (int i = 0; i < opened; i++) {
    char byte;
    if (conns[i].fd < 0 || conns[i].got < size) continue;
    if (recv(conns[i].fd, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN) open++;
  }
  report(now() - start, open, count - open);
  await_stdin_end(limit);
}

// A connection that hangs sends no more samples and so would make every percentile look better.
static long unanswered(double limit) {
  double patience = limit < 2 ? limit / 2 : 1;
  long n = 0;
  for (int i = 0; i < count; i++) n += conns[i].fd >= 0 && now() - conns[i].asked > patience;
  return n;
}

static void report(double seconds, long done, long wrong) {
  printf("{\"count\":%ld,\"seconds\":%.4f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"errors\":%ld,\"first_error\":\"%s\"}\n", done,
         seconds, latency_us(0.5), latency_us(0.99), wrong, first_error ? strerror(first_error) : "");
  fflush(stdout);
}
