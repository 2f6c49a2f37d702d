// A flood of connections from one source that a contender is to refuse: so many each second, each held until the other
// side ends it.
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OPEN_MAX_FLOOD = 2000 };  // connections that wait for their refusal; beyond them the flood holds back

static int knock(int loop, int port);
static int hang_up(int loop);

// From 127.0.0.9, which the contender's rules know. Tells how many connections were refused.
void flood(int port, double rate, double limit) {
  int loop = epoll_create1(EPOLL_CLOEXEC);
  if (loop < 0) fail("epoll_create1");
  double start = now(), end = start + limit;
  long knocked = 0, ended = 0, failed = 0;
  for (double t = start; t < end; t = now()) {
    long due = (t - start) * rate;
    // In small portions: a burst would measure the backlog.
    for (int n = 0; n < 64 && knocked < due && knocked - ended - failed < OPEN_MAX_FLOOD; n++) {
      if (!knock(loop, port)) failed++;
      knocked++;
    }
    ended += hang_up(loop);
  }
  double seconds = now() - start;
  printf("{\"count\":%ld,\"errors\":%ld,\"seconds\":%.6f}\n", ended, failed, seconds);
}

static int knock(int loop, int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
  struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, "127.0.0.9", &from.sin_addr);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0) return 0;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = fd};
  if (bind(fd, (struct sockaddr *)&from, sizeof from) ||
      (connect(fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) ||
      epoll_ctl(loop, EPOLL_CTL_ADD, fd, &e)) {
    close(fd);
    return 0;
  }
  return 1;
}

// Closes what the contender has ended, by a reset of our own: nothing stays in TIME_WAIT.
static int hang_up(int loop) {
  struct epoll_event ready[256];
  int n = epoll_wait(loop, ready, 256, 1);
  for (int i = 0; i < n; i++) {
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(ready[i].data.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(ready[i].data.fd);
  }
  return n > 0 ? n : 0;
}
