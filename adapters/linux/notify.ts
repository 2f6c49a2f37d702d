/** sd_notify(3): tells systemd, or who else supervises the process, how it is, by a datagram to the socket in NOTIFY_SOCKET. */
import { ffi } from "#ffi";
import type { Notice } from "../../src/cli/host.ts";
import { AF_UNIX, CLOCK_MONOTONIC, MSG_NOSIGNAL, SOCK_CLOEXEC, SOCK_DGRAM } from "./abi.ts";
import { encodePath, SOCKADDR_MAX } from "./sockaddr.ts";
import { System } from "./system.ts";

/** sizeof(struct sockaddr_un), without its zero at the end. */
const PATH_MAX = 107;

let system: System | undefined;

/** `socket`: a path, or `@name` of the abstract namespace. Throws with what the kernel says, or why it cannot be asked. */
export function notify(socket: string, notice: Notice, status: string): void {
  if (!/^[/@]/.test(socket) || new TextEncoder().encode(socket).length > PATH_MAX) {
    throw new Error("it is no path of a unix socket");
  }
  system ??= new System(ffi, false);
  const text = new TextEncoder().encode(`${words(notice, system)}\nSTATUS=${status.replaceAll("\n", " ")}\n`);
  send(system, socket, text);
}

function words(notice: Notice, system: System): string {
  if (notice === "ready") return "READY=1";
  return notice === "stopping" ? "STOPPING=1" : `RELOADING=1\nMONOTONIC_USEC=${monotonic(system)}`;
}

/** The clocks of the runtimes begin with the process. */
function monotonic(system: System): bigint {
  const block = system.arena.take(16);
  if (system.libc.clock_gettime(CLOCK_MONOTONIC, block.pointer) < 0) throw system.error("clock_gettime");
  const view = new DataView(block.bytes.buffer, block.bytes.byteOffset);
  const now = view.getBigInt64(0, true) * 1_000_000n + view.getBigInt64(8, true) / 1_000n;
  system.arena.give(block);
  return now;
}

function send(system: System, path: string, text: Uint8Array): void {
  const { libc, arena } = system;
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw system.error("socket");
  const name = arena.take(SOCKADDR_MAX);
  const message = arena.take(Math.ceil(text.length / 8) * 8);
  message.bytes.set(text);
  try {
    const length = encodePath(name.bytes, { kind: "unix", path });
    if (libc.connect(fd, name.pointer, length) < 0) throw system.error("connect");
    if (libc.send(fd, message.pointer, text.length, MSG_NOSIGNAL) < 0) throw system.error("send");
  } finally {
    libc.close(fd);
    arena.give(name);
    arena.give(message);
  }
}
