// The floor: the least that a relay can do with these system calls. Edge-triggered epoll, small reads copied,
// bulk spliced; no timeouts, no limits, no counters, no care. What weir spends beyond it is the price of all that.
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BATCH = 512, PIPE = 1 << 20, BULK = 65536, SMALL = 16384 };

struct side {
  int fd;
  struct side *peer;
  int in, out;      // the pipe towards the peer, -1 without
  size_t piped;     // bytes in it
  char *rest;       // bytes read that the peer has not taken
  size_t at, left;  // where they go on, and how many they are
  int open, ended, told, bulk, dead;
};

static const struct linger ABORT = {1, 0};
static const int ON = 1;
static struct side *gone[2 * BATCH + 2];
static int gone_count;

static struct side *side(int loop, int fd) {
  struct side *s = calloc(1, sizeof *s);
  if (!s) fail("calloc");
  s->fd = fd;
  s->in = s->out = -1;
  struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = s};
  if (epoll_ctl(loop, EPOLL_CTL_ADD, fd, &e) < 0) fail("epoll_ctl");
  return s;
}

// Both sides go at the end of the batch: until then events may still name them.
static void drop(struct side *s) {
  if (s->dead) return;
  s->dead = s->peer->dead = 1;
  gone[gone_count++] = s;
}

static void abandon(struct side *s) {
  setsockopt(s->peer->fd, SOL_SOCKET, SO_LINGER, &ABORT, sizeof ABORT);
  drop(s);
}

static void release(struct side *s) {
  close(s->fd);
  if (s->in >= 0) close(s->in), close(s->out);
  free(s->rest);
  free(s);
}

// What waits for the peer. 1: all of it has gone.
static int flush(struct side *s) {
  while (s->piped > 0) {
    ssize_t n = splice(s->out, 0, s->peer->fd, 0, s->piped, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n < 0) return errno == EAGAIN ? 0 : (drop(s), 0);
    s->piped -= n;
  }
  while (s->left > 0) {
    ssize_t n = send(s->peer->fd, s->rest + s->at, s->left, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) return errno == EAGAIN ? 0 : (drop(s), 0);
    s->at += n;
    s->left -= n;
  }
  free(s->rest);
  s->rest = 0;
  return 1;
}

static ssize_t take(struct side *s) {
  if (s->bulk < 2) return recv(s->fd, chunk, CHUNK, MSG_DONTWAIT);
  if (s->in < 0) {
    int ends[2];
    if (pipe2(ends, O_NONBLOCK) < 0) fail("pipe2");
    s->out = ends[0], s->in = ends[1];
    fcntl(s->in, F_SETPIPE_SZ, PIPE);
  }
  ssize_t n = splice(s->fd, 0, s->in, 0, PIPE, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (n > 0) s->piped = n;
  return n;
}

static void hand_on(struct side *s, ssize_t n) {
  ssize_t sent = send(s->peer->fd, chunk, n, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && errno != EAGAIN) return drop(s);
  if (sent < 0) sent = 0;
  if (sent == n) return;
  s->left = n - sent;
  s->at = 0;
  s->rest = malloc(s->left);
  if (!s->rest) fail("malloc");
  memcpy(s->rest, chunk + sent, s->left);
}

static void pump(struct side *s) {
  if (!s->peer->open) return;
  while (!s->dead && flush(s)) {
    if (s->ended) {
      if (!s->told) shutdown(s->peer->fd, SHUT_WR);
      s->told = 1;
      if (s->peer->told) drop(s);
      return;
    }
    int spliced = s->bulk >= 2;
    ssize_t n = take(s);
    if (n < 0) return errno == EAGAIN ? (void)0 : abandon(s);
    if (n == 0) {
      s->ended = 1;
      continue;
    }
    if (!spliced) hand_on(s, n);
    s->bulk = n >= BULK ? s->bulk + 1 : n < SMALL ? 0 : s->bulk;
    if (!spliced && n < SMALL) return;
  }
}

static struct sockaddr_in local(int port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

static void meet(int loop, int listener, const struct sockaddr_in *to) {
  for (int fd; (fd = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0;) {
    int other = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(other, IPPROTO_TCP, TCP_NODELAY, &ON, sizeof ON);
    if (connect(other, (const void *)to, sizeof *to) < 0 && errno != EINPROGRESS) fail("connect");
    struct side *client = side(loop, fd), *target = side(loop, other);
    client->peer = target;
    target->peer = client;
    client->open = 1;
  }
}

// Relays 127.0.0.1:listen to 127.0.0.1:target until it is killed.
void relay(int listen_port, int target_port) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), loop = epoll_create1(0);
  struct sockaddr_in at = local(listen_port), to = local(target_port);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &ON, sizeof ON);
  setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &ON, sizeof ON);  // handed down to what is accepted
  if (bind(listener, (void *)&at, sizeof at) < 0 || listen(listener, 4096) < 0) fail("listen");
  struct epoll_event e = {.events = EPOLLIN}, ready[BATCH];
  epoll_ctl(loop, EPOLL_CTL_ADD, listener, &e);
  for (;;) {
    int n = epoll_wait(loop, ready, BATCH, -1);
    for (int i = 0; i < n; i++) {
      struct side *s = ready[i].data.ptr;
      uint32_t events = ready[i].events;
      if (!s) meet(loop, listener, &to);
      else if (s->dead) continue;
      else if (events & EPOLLERR) abandon(s);
      else {
        if (events & EPOLLOUT) s->open = 1;
        // The other side may wait for room here, or for this side to be connected.
        if (events & EPOLLOUT) pump(s->peer);
        if (!s->dead && events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) pump(s);
      }
    }
    while (gone_count > 0) {
      struct side *s = gone[--gone_count], *peer = s->peer;
      release(peer);
      release(s);
    }
  }
}
