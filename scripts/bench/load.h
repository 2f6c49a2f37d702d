// What the load generator's parts share. Each part is one file; load.c picks the part by its first argument.
#ifndef WEIR_BENCH_LOAD_H
#define WEIR_BENCH_LOAD_H

#include <stddef.h>
#include <stdint.h>

enum { CHUNK = 256 * 1024 };  // bytes per send or receive in the bulk tests
extern char chunk[CHUNK];

// load.c: clock, sockets on 127.0.0.1, latencies
double now(void);                              // seconds of the monotonic clock
void fail(const char *what);                   // prints `what` with errno and exits 1
int dial(int port);                            // a non-blocking socket, connecting; -1 with errno
int dial_and_wait(int port);                   // the same, connected; ends the program when it cannot
int await_fd(int fd, short events, double s);  // poll(2) on one descriptor; 0 when `s` seconds passed
void await_stdin_end(double limit);            // returns when stdin ends or `limit` seconds passed
void keep_latency(double seconds);
void forget_latencies(void);
double latency_us(double share);  // 0.5 is the median; right to 1.6 %

// serve.c: the target behind the contender
enum service { ECHO, SINK, SOURCE, STUCK, REFUSE };
void serve(enum service what);

// ask.c: small requests, each answered with the same bytes
enum manner { PINGPONG, CONNECT, HOLD };
void ask(enum manner how, int port, int conns, size_t size, double limit);

// bulk.c: streams as fast as they go
void push(int port, int tally, int streams, double limit);
void pull(int port, int streams, double limit);
void stall(int port, double bytes, double limit);

// flood.c: connections that are to be refused
void flood(int port, double rate, double limit);

// floor.c: a relay to compare with
void relay(int listen_port, int target_port);

#endif
