/** Urgent bytes (tcp(7), MSG_OOB) are bytes of the stream: they arrive where they were sent, and hold nothing up. */
import { expect } from "bun:test";
import { setImmediate } from "node:timers/promises";
import { ffi } from "#ffi";
import { AF_INET, EAGAIN, EINPROGRESS, SIOCOUTQ, SOCK_STREAM } from "../../adapters/linux/abi.ts";
import { encodeEndpoint } from "../../adapters/linux/sockaddr.ts";
import { openSocket } from "../../adapters/linux/sockets.ts";
import { System } from "../../adapters/linux/system.ts";
import type { ListenAddress } from "../../src/net/address.ts";
import { Random } from "../peers/random.ts";
import { linux, world } from "./world.ts";

const MSG_OOB = 1;
const SIZE = 65_536;

/** A client that calls the kernel itself: no runtime can send urgent bytes. */
class Raw {
  readonly received: Uint8Array[] = [];
  readonly #system = new System(ffi, false);
  readonly #block = this.#system.arena.take(SIZE);
  readonly #fd = openSocket(this.#system, AF_INET, SOCK_STREAM);

  constructor(to: ListenAddress) {
    if (to.kind !== "tcp") throw new Error("over TCP alone");
    const length = encodeEndpoint(this.#block.bytes, to, this.#system);
    const result = this.#system.libc.connect(this.#fd, this.#block.pointer, length);
    if (result < 0 && this.#system.errno !== EINPROGRESS) throw this.#system.error("connect");
  }

  /** Sends all of `bytes`; of those that are urgent, the last one is marked. */
  async send(bytes: Uint8Array, urgent = false): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + SIZE);
      this.#block.bytes.set(part);
      const { libc } = this.#system;
      const sent = libc.send(this.#fd, this.#block.pointer, part.length, urgent ? MSG_OOB : 0);
      if (sent >= 0) at += sent;
      else if (this.#system.errno !== EAGAIN) throw this.#system.error("send");
      else await this.receive();
    }
  }

  /** The peer's kernel has all that was sent. */
  async arrived(): Promise<void> {
    const { libc, scratch, scratchInts } = this.#system;
    while (libc.ioctl(this.#fd, SIOCOUTQ, scratch.pointer) < 0 || scratchInts[0] !== 0) await setImmediate();
  }

  /** Takes what there is; others get their turn. */
  async receive(): Promise<void> {
    const count = this.#system.libc.recv(this.#fd, this.#block.pointer, SIZE, 0);
    if (count > 0) this.received.push(this.#block.bytes.slice(0, count));
    else if (count === 0) throw new Error("the stream has ended");
    else if (this.#system.errno !== EAGAIN) throw this.#system.error("recv");
    await setImmediate();
  }

  async until(bytes: number): Promise<Buffer> {
    let before = 0;
    for (let count = 0; count < bytes; ) {
      await this.receive();
      for (; before < this.received.length; before++) count += this.received[before]?.length ?? 0;
    }
    return Buffer.concat(this.received);
  }

  close(): void {
    this.#system.close(this.#fd);
  }
}

linux("bytes behind an urgent one that all came before anybody read are not held back", async () => {
  await using it = await world(undefined, undefined, { maxConnections: 1 });
  const first = await it.client();
  const raw = new Raw(it.proxy.address);
  const [before, urgent, after] = ["before", "!", "after"].map((text) => new TextEncoder().encode(text));
  // Until the first one leaves nobody reads of it, and the kernel has nothing new to tell by then.
  while ((await it.proxy.connections(2)).total < 2) await setImmediate();
  await raw.send(before as Uint8Array);
  await raw.send(urgent as Uint8Array, true);
  await raw.send(after as Uint8Array);
  await raw.arrived();
  first.finish();
  expect((await raw.until(12)).toString()).toBe("before!after");
  raw.close();
});

linux("a stream with urgent bytes anywhere arrives whole and in order, also in bulk", async () => {
  await using it = await world();
  for (const seed of [1, 2, 3]) {
    const random = new Random(seed);
    const sent = Buffer.from(Uint8Array.from({ length: 12_000_000 }, (_, i) => (i * 31 + (i >>> 11)) & 255));
    const raw = new Raw(it.proxy.address);
    for (let at = 0; at < sent.length; ) {
      const urgent = random.between(0, 2) === 0;
      const end = at + (urgent ? random.between(1, 3) : random.between(1, 2_000_000));
      await raw.send(sent.subarray(at, end), urgent);
      at = end;
    }
    // Not by an assertion on the bytes: it would print them.
    expect((await raw.until(sent.length)).equals(sent)).toBe(true);
    raw.close();
  }
});
