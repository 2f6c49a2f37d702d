/**
 * Numbers of the Linux interface, the same on x64 and arm64 (include/uapi/asm-generic), and the one thing
 * that differs between the two.
 */
import { arch } from "node:process";

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0x800;
export const SOCK_CLOEXEC = 0x80000;

export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_ERROR = 4;
export const SO_RCVBUF = 8;
export const SO_KEEPALIVE = 9;
export const SO_OOBINLINE = 10;
export const SO_LINGER = 13;
export const SO_REUSEPORT = 15;
export const SO_RCVLOWAT = 18;
export const IPPROTO_IP = 0;
export const IP_BIND_ADDRESS_NO_PORT = 24;
export const SOL_UDP = 17;
export const UDP_SEGMENT = 103;
export const IPPROTO_TCP = 6;
export const TCP_NODELAY = 1;
export const TCP_KEEPIDLE = 4;
export const TCP_CONGESTION = 13;
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;

export const MADV_DONTNEED = 4;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
export const SHUT_WR = 1;
export const SHUT_RDWR = 2;
/** ioctl(2): bytes received and not read (tcp(7), unix(7)). */
export const SIOCINQ = 0x541b;
/** ioctl(2): bytes sent and not acknowledged (tcp(7), unix(7)). */
export const SIOCOUTQ = 0x5411;

export const EPOLLIN = 1;
export const EPOLLPRI = 2;
export const EPOLLOUT = 4;
export const EPOLLERR = 8;
export const EPOLLHUP = 0x10;
export const EPOLLRDHUP = 0x2000;
export const EPOLLEXCLUSIVE = 1 << 28;
export const EPOLLET = 1 << 31;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLL_CLOEXEC = 0x80000;
export const EFD_NONBLOCK = 0x800;
export const EFD_CLOEXEC = 0x80000;
export const CLOCK_MONOTONIC = 1;
export const TFD_NONBLOCK = 0x800;
export const TFD_CLOEXEC = 0x80000;

export const O_NONBLOCK = 0x800;
export const O_CLOEXEC = 0x80000;
export const F_SETPIPE_SZ = 1031;
export const SPLICE_F_MOVE = 1;
export const SPLICE_F_NONBLOCK = 2;

export const EINTR = 4;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const ENFILE = 23;
export const EMFILE = 24;
export const EPIPE = 32;
export const ENOBUFS = 105;
export const ECONNREFUSED = 111;
export const EINPROGRESS = 115;

/**
 * `struct epoll_event` in 32-bit words: packed on x64 alone (include/uapi/linux/eventpoll.h), padded elsewhere.
 * The events are the first word, the descriptor lies in the word at `EVENT_DATA`.
 */
export const EVENT_WORDS = arch === "x64" ? 3 : 4;
export const EVENT_DATA = arch === "x64" ? 1 : 2;

export const SO_RCVBUFFORCE = 33;
export const SO_MEMINFO = 55;
