// Streams as fast as they go: to a target that swallows, from one that sends without end, and at one that never reads.
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

static double run(int port, int streams, double limit, int sending, int *lost, double *took);
static double ask_tally(int port);
static void report(double bytes, double seconds, int lost);

// The count is the target's, asked for over a connection of its own: what was sent but still lies in some buffer when
// time is up has not passed the contender.
void push(int port, int tally, int streams, double limit) {
  int lost;
  double took, before = ask_tally(tally);
  run(port, streams, limit, 1, &lost, &took);
  report(ask_tally(tally) - before, took, lost);
}

void pull(int port, int streams, double limit) {
  int lost;
  double took, bytes = run(port, streams, limit, 0, &lost, &took);
  report(bytes, took, lost);
}

// Pushes until `wanted` bytes are taken or none was for a second, which is when backpressure has arrived. Then holds the
// connection, so that the contender's memory can be read, until stdin ends.
void stall(int port, double wanted, double limit) {
  int fd = dial_and_wait(port), lost = 0;
  double start = now(), end = start + limit, took = 0, bytes = 0;
  while (bytes < wanted && now() < end) {
    size_t size = wanted - bytes < CHUNK ? wanted - bytes : CHUNK;
    ssize_t n = send(fd, chunk, size, 0);
    if (n > 0) bytes += n, took = now() - start;
    else if (errno != EAGAIN) lost = 1;
    if (lost || (n < 0 && !await_fd(fd, POLLOUT, 1))) break;
  }
  report(bytes, took, lost);
  await_stdin_end(limit);
  close(fd);
}

// Moves bytes over `streams` connections for `limit` seconds. Returns the bytes of this side.
static double run(int port, int streams, double limit, int sending, int *lost, double *took) {
  int loop = epoll_create1(EPOLL_CLOEXEC), open = streams;
  if (loop < 0) fail("epoll_create1");
  for (int i = 0; i < streams; i++) {
    struct epoll_event e = {.events = sending ? EPOLLOUT : EPOLLIN, .data.fd = dial_and_wait(port)};
    if (epoll_ctl(loop, EPOLL_CTL_ADD, e.data.fd, &e)) fail("epoll_ctl");
  }
  double start = now(), end = start + limit, bytes = 0;
  struct epoll_event ready[64];
  while (open > 0 && now() < end) {
    int k = epoll_wait(loop, ready, 64, 50);
    for (int i = 0; i < k; i++) {
      int fd = ready[i].data.fd;
      ssize_t n = sending ? send(fd, chunk, CHUNK, 0) : recv(fd, chunk, CHUNK, MSG_TRUNC);
      if (n > 0) bytes += n;
      else if (n == 0 || errno != EAGAIN) close(fd), open--;
    }
  }
  *took = now() - start;
  *lost = streams - open;
  return bytes;
}

static double ask_tally(int port) {
  char text[32] = "";
  int fd = dial_and_wait(port);
  // Without an answer the figure would be wrong, so there must be none.
  if (!await_fd(fd, POLLIN, 5) || recv(fd, text, sizeof text - 1, 0) <= 0) fail("tally");
  close(fd);
  return strtod(text, NULL);
}

static void report(double bytes, double seconds, int lost) {
  printf("{\"bytes\":%.0f,\"seconds\":%.4f,\"errors\":%d}\n", bytes, seconds, lost);
  fflush(stdout);
}
