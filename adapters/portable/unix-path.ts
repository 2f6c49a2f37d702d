/** Unix socket files: the rules that bind(2) leaves to its caller, on top of `node:fs`, which all three runtimes have. */
import { lstatSync, unlinkSync } from "node:fs";
import { platform } from "node:process";
import type { Address, UnixAddress } from "../../src/net/address.ts";
import { SocketError } from "../../src/net/errors.ts";
import { attemptError } from "./errors.ts";

export const isAbstract = (address: UnixAddress): boolean => address.path.startsWith("@");

/** The path in the kernel's form: an abstract name starts with a NUL byte (unix(7)). */
export function kernelPath(address: UnixAddress): string {
  return isAbstract(address) ? `\0${address.path.slice(1)}` : address.path;
}

/** What has to happen before listening on `at`. Throws a `SocketError`. */
export async function prepare(at: Address): Promise<void> {
  if (at.kind !== "unix") return;
  try {
    await clearPath(at);
  } catch (thrown) {
    throw attemptError("listen on", at, thrown);
  }
}

/**
 * Makes room for a listener: a socket file that nobody listens on any more is a leftover and is removed.
 * Throws `EADDRINUSE` when somebody listens, `ENOTSOCK` when the path is something else than a socket.
 */
async function clearPath(address: UnixAddress): Promise<void> {
  if (isAbstract(address)) {
    if (platform !== "linux")
      throw new SocketError(
        "EAFNOSUPPORT",
        `Cannot listen on "${address.path}": abstract unix sockets exist on Linux alone`,
      );
    return;
  }
  const found = lstatSync(address.path, { throwIfNoEntry: false });
  if (!found) return;
  const refuse = (code: string, why: string): never => {
    throw new SocketError(code, `Cannot listen on unix:${address.path}: ${why} (${code})`);
  };
  if (found.isDirectory()) refuse("ENOTSOCK", "it is a directory; name a file in it");
  if (!found.isSocket()) refuse("ENOTSOCK", "a file that is no socket is there; remove it or choose another path");
  if (await answers(address.path)) refuse("EADDRINUSE", "another process listens there");
  unlinkSync(address.path);
}

/** Anything but a refusal counts as an answer: a full backlog and a missing permission are signs of life. */
async function answers(path: string): Promise<boolean> {
  // Loaded here alone: under Bun it would be 5 MB that nothing else needs.
  const { connect } = await import("node:net");
  return new Promise((resolve) => {
    const probe = connect(path);
    const done = (answer: boolean) => {
      probe.destroy();
      resolve(answer);
    };
    probe.once("connect", () => done(true));
    probe.once("error", (error: { code?: string }) => done(error.code !== "ECONNREFUSED" && error.code !== "ENOENT"));
  });
}
