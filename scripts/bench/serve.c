// The target behind the contender, in one epoll loop: it echoes, swallows, sends without end, accepts and never
// reads, or resets at once.
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

static uint64_t swallowed;  // bytes that `sink` has received over all connections

static int listen_anywhere(int *port);
static int listen_at(uint32_t host, int *port);
static void watch(int loop, int fd, uint32_t events);
static void accept_all(int loop, int listener, enum service what);
static void tell_tally(int listener);
static int attend(int fd, enum service what);
static void reset(int fd);

// Prints {"port":…,"tally":…} and serves until stdin ends: so it cannot outlive the program that started it,
// however that one died.
void serve(enum service what) {
  int port, tally_port;
  int listener = listen_anywhere(&port), tally = listen_anywhere(&tally_port);
  int loop = epoll_create1(EPOLL_CLOEXEC);
  if (loop < 0) fail("epoll_create1");
  watch(loop, listener, EPOLLIN);
  // The same service on three more addresses, for contenders that balance.
  int others[3];
  for (int i = 0; i < 3; i++) {
    others[i] = listen_at(INADDR_LOOPBACK + 1 + i, &port);
    watch(loop, others[i], EPOLLIN);
  }
  watch(loop, tally, EPOLLIN);
  watch(loop, 0, EPOLLIN);
  printf("{\"port\":%d,\"tally\":%d}\n", port, tally_port);
  fflush(stdout);

  struct epoll_event ready[256];
  for (;;) {
    int n = epoll_wait(loop, ready, 256, -1);
    for (int i = 0; i < n; i++) {
      int fd = ready[i].data.fd;
      char byte;
      if (fd == listener || fd == others[0] || fd == others[1] || fd == others[2]) accept_all(loop, fd, what);
      else if (fd == tally) tell_tally(fd);
      else if (fd == 0 && read(0, &byte, 1) <= 0) exit(0);
      else if (fd != 0 && !attend(fd, what)) reset(fd);
    }
  }
}

static int listen_anywhere(int *port) {
  *port = 0;
  return listen_at(INADDR_LOOPBACK, port);
}

// On `port`, or on a free one.
static int listen_at(uint32_t host, int *port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(host)};
  socklen_t size = sizeof at;
  if (fd < 0 || bind(fd, (struct sockaddr *)&at, size) || listen(fd, 4096)) fail("listen");
  getsockname(fd, (struct sockaddr *)&at, &size);
  *port = ntohs(at.sin_port);
  return fd;
}

static void watch(int loop, int fd, uint32_t events) {
  struct epoll_event e = {.events = events, .data.fd = fd};
  if (epoll_ctl(loop, EPOLL_CTL_ADD, fd, &e) && fd != 0) fail("epoll_ctl");
}

static void accept_all(int loop, int listener, enum service what) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      // Anything but these two would be reported again at once, without end.
      if (errno == EAGAIN || errno == ECONNABORTED) return;
      fail("accept");
    }
    if (what == REFUSE) {
      reset(fd);
      continue;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (what != STUCK) watch(loop, fd, what == SOURCE ? EPOLLOUT : EPOLLIN);
  }
}

static void tell_tally(int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0) return;
  dprintf(fd, "%llu\n", (unsigned long long)swallowed);
  close(fd);
}

// Answers what is there to answer on one connection. Returns 0 when the connection is over.
static int attend(int fd, enum service what) {
  if (what == SOURCE) return send(fd, chunk, CHUNK, 0) > 0 || errno == EAGAIN;
  // MSG_TRUNC has the kernel throw the bytes away uncopied: the CPU time is left to the contender.
  ssize_t got = recv(fd, chunk, CHUNK, what == SINK ? MSG_TRUNC : 0);
  if (got <= 0) return got < 0 && errno == EAGAIN;
  if (what == SINK) {
    swallowed += got;
    return 1;
  }
  for (ssize_t sent = 0; sent < got;) {
    ssize_t n = send(fd, chunk + sent, got - sent, 0);
    if (n > 0) sent += n;
    // Waiting here holds up the other connections, but requests are so small that their answers fit the socket's
    // buffer: it happens only to a contender that does not read its target's answers.
    else if (errno != EAGAIN || !await_fd(fd, POLLOUT, 1)) return 0;
  }
  return 1;
}

// Closes with a reset: a contender that closed first, with a FIN, is spared the minute of TIME_WAIT. Without this, `cps`
// would measure the search for a free port among 28,000 (nginx: half the rate, a p99 of 40 ms instead of 3), which comes
// from all connections going to one address and port, faster than in any real network.
static void reset(int fd) {
  struct linger reset = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  close(fd);
}
