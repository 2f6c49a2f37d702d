/**
 * Connections over loopback are not paced. Where BBR is what the kernel takes by default (sysctl
 * net.ipv4.tcp_congestion_control), senders wait for a timer so that queues on the way stay short
 * (draft-ietf-ccwg-bbr, "Pacing Rate"). Loopback has no way and no queue: nothing but the waiting remains of it.
 */
import { IPPROTO_TCP, TCP_CONGESTION } from "./abi.ts";
import type { System } from "./system.ts";

const text = new TextEncoder();
/** All its versions are called so. */
const PACED = text.encode("bbr");
/** Every kernel has it, and lets everybody take it (tcp_reno in net/ipv4/tcp_cong.c). */
const UNPACED = text.encode("reno");
/** Bytes: TCP_CA_NAME_MAX. */
const NAME_MAX = 16;

export class Pacing {
  readonly #system: System;
  /** Whether it is there to be switched off; undefined: nobody has asked yet. */
  #paced: boolean | undefined;

  constructor(system: System) {
    this.#system = system;
  }

  /**
   * `fd` is a TCP socket before its connect(2) or listen(2), and hands it down to what it accepts. Later is too late:
   * whoever was paced once stays it, at the rate of whatever comes then (sk_pacing_status in net/core/sock.c).
   */
  none(fd: number): void {
    this.#paced ??= this.#byDefault(fd);
    if (!this.#paced) return;
    const { libc, name, namePointer } = this.#system;
    name.set(UNPACED);
    // An administrator may have taken it away (net.ipv4.tcp_allowed_congestion_control): then it is so for all.
    this.#paced = libc.setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, namePointer, UNPACED.length) === 0;
  }

  #byDefault(fd: number): boolean {
    const { libc, name, namePointer, scratch, scratchInts } = this.#system;
    scratchInts[0] = NAME_MAX;
    const asked = libc.getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, namePointer, scratch.pointer) === 0;
    return asked && PACED.every((byte, index) => name[index] === byte);
  }
}
