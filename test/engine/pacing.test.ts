/** What congestion control the sockets of the native engine have, seen from the kernel. */
import { expect } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { ffi } from "#ffi";
import { IPPROTO_TCP, TCP_CONGESTION } from "../../adapters/linux/abi.ts";
import { decodePort } from "../../adapters/linux/sockaddr.ts";
import { System } from "../../adapters/linux/system.ts";
import type { ListenAddress } from "../../src/net/address.ts";
import { linux, world } from "./world.ts";

/** The congestion controls of this process's sockets whose own port, or whose peer's, is that of `address`. */
function controlsAt(address: ListenAddress, end: "getsockname" | "getpeername"): string[] {
  const port = address.kind === "tcp" ? address.port : 0;
  const system = new System(ffi, false);
  const { libc, name, namePointer, scratch, scratchInts } = system;
  return readdirSync("/proc/self/fd").flatMap((entry) => {
    const fd = Number(entry);
    scratchInts[0] = 128;
    if (libc[end](fd, namePointer, scratch.pointer) < 0 || decodePort(name) !== port) return [];
    scratchInts[0] = 16;
    if (libc.getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, namePointer, scratch.pointer) < 0) return [];
    return new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
  });
}

const byDefault = () => readFileSync("/proc/sys/net/ipv4/tcp_congestion_control", "utf8").trim();
const onLoopback = (name: string) => (name.startsWith("bbr") ? "reno" : name);

linux("over loopback nobody is paced: listeners, what they accept, and connections to targets", async () => {
  await using it = await world();
  await it.client();
  const wanted = onLoopback(byDefault());
  // One listener for each worker, and the accepted connection.
  expect(controlsAt(it.proxy.address, "getsockname")).toEqual([wanted, wanted, wanted]);
  expect(controlsAt(it.target, "getpeername")).toEqual([wanted]);
});

linux("a listener for everybody takes what the kernel does: its clients may be far away", async () => {
  await using it = await world(undefined, { kind: "tcp", host: "0.0.0.0", port: 0 });
  await it.client();
  expect(controlsAt(it.proxy.address, "getsockname")).toEqual(new Array(3).fill(byDefault()));
});
