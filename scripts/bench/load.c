// The load generator of weir's benchmark: both ends of every test, in C so that the load itself costs little.
// Each subcommand talks to 127.0.0.1 only, stops by itself, and prints one JSON line.
//
//   load serve echo|sink|source|stuck|refuse a target on a free port; ends when its stdin ends
//   load pingpong PORT CONNS SIZE SECONDS    one request of SIZE bytes in flight per connection
//   load connect  PORT CONNS SIZE SECONDS    connect, one request, close; CONNS at a time
//   load hold     PORT CONNS SIZE SECONDS    open CONNS, one request each, then keep them idle until stdin ends
//   load push     PORT TALLY STREAMS SECONDS send; TALLY is the port where `serve sink` tells its count
//   load pull     PORT STREAMS SECONDS       receive
//   load flood    PORT RATE SECONDS          connections from 127.0.0.9, RATE each second, for who refuses them
//   load stall    PORT BYTES SECONDS         push BYTES at a target that does not read, hold until stdin ends
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

char chunk[CHUNK];

static void usage(void) {
  fprintf(stderr, "usage: load serve|pingpong|connect|hold|push|pull|flood|stall ARGUMENTS (see load.c)\n");
  exit(2);
}

static double number(const char *text) {
  char *end;
  double value = strtod(text, &end);
  if (*text == 0 || *end != 0 || value < 0) {
    fprintf(stderr, "load: not a number: \"%s\"\n", text);
    exit(2);
  }
  return value;
}

static void serve_named(const char *name) {
  static const char *const names[] = {[ECHO] = "echo", [SINK] = "sink", [SOURCE] = "source", [STUCK] = "stuck", [REFUSE] = "refuse"};
  for (int i = ECHO; i <= REFUSE; i++)
    if (!strcmp(name, names[i])) serve(i);
  usage();
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  // The soft limit is often 1024, too low for 3,000 idle connections; the hard one is the machine's word.
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  if (argc < 3) usage();
  const char *name = argv[1];
  if (!strcmp(name, "serve") && argc == 3) serve_named(argv[2]);

  double n[4] = {0};
  int count = argc - 2;
  if (count > 4) usage();
  for (int i = 0; i < count; i++) n[i] = number(argv[i + 2]);
  if (!strcmp(name, "relay") && count == 2) relay(n[0], n[1]);
  else if (!strcmp(name, "pingpong") && count == 4) ask(PINGPONG, n[0], n[1], n[2], n[3]);
  else if (!strcmp(name, "connect") && count == 4) ask(CONNECT, n[0], n[1], n[2], n[3]);
  else if (!strcmp(name, "hold") && count == 4) ask(HOLD, n[0], n[1], n[2], n[3]);
  else if (!strcmp(name, "push") && count == 4) push(n[0], n[1], n[2], n[3]);
  else if (!strcmp(name, "pull") && count == 3) pull(n[0], n[1], n[2]);
  else if (!strcmp(name, "flood") && count == 3) flood(n[0], n[1], n[2]);
  else if (!strcmp(name, "stall") && count == 3) stall(n[0], n[1], n[2]);
  else usage();
  return 0;
}

double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

void fail(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

int dial(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS) return fd;
  int why = errno;
  close(fd);
  errno = why;
  return -1;
}

int dial_and_wait(int port) {
  int fd = dial(port);
  if (fd < 0) fail("connect");
  if (!await_fd(fd, POLLOUT, 5)) errno = ETIMEDOUT, fail("connect");
  int why = 0;
  socklen_t size = sizeof why;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &size);
  if (why) errno = why, fail("connect");
  return fd;
}

int await_fd(int fd, short events, double s) {
  struct pollfd p = {.fd = fd, .events = events};
  return s > 0 && poll(&p, 1, s * 1000) > 0;
}

void await_stdin_end(double limit) {
  double end = now() + limit;
  char byte;
  while (await_fd(0, POLLIN, end - now()) && read(0, &byte, 1) > 0) continue;
}

// Latencies go into buckets of 1/64 of their power of two: no memory that grows with the rate, and nothing to sort.
static uint64_t buckets[64 * 64], kept;

void keep_latency(double seconds) {
  uint64_t ns = seconds * 1e9;
  int power = ns < 64 ? 5 : 63 - __builtin_clzll(ns);
  buckets[(power - 5) * 64 + (ns < 64 ? ns : (ns >> (power - 6)) & 63)]++;
  kept++;
}

void forget_latencies(void) {
  memset(buckets, 0, sizeof buckets);
  kept = 0;
}

double latency_us(double share) {
  uint64_t seen = 0, wanted = kept * share;
  for (int i = 0; i < 64 * 64; i++) {
    seen += buckets[i];
    if (seen <= wanted) continue;
    int shift = i / 64 - 1;
    return (shift < 0 ? i : (64.5 + i % 64) * (double)(1ULL << shift)) / 1000;
  }
  return 0;
}
