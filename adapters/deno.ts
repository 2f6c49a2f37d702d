/**
 * Deno: sockets on `node:net` (node-stream.ts), because Deno's own cannot send RST or bind a source
 * address; HTTP on Deno.serve.
 */
import type { Address } from "../src/net/address.ts";
import type { Bound, Fetch, Runtime } from "../src/net/runtime.ts";
import { confirmWith } from "./deno/confirm.ts";
import type { Accepting } from "./portable/accept-queue.ts";
import { tlsTools } from "./portable/certificates.ts";
import { clock } from "./portable/clock.ts";
import { descriptorLimit } from "./portable/descriptors.ts";
import { attemptError } from "./portable/errors.ts";
import { files } from "./portable/files.ts";
import { openInput } from "./portable/input.ts";
import { interfaces } from "./portable/interfaces.ts";
import { importModule } from "./portable/modules.ts";
import { datagram } from "./portable/node-datagram.ts";
import { connect, listening } from "./portable/node-stream.ts";
import { resolution } from "./portable/resolve.ts";
import { overTls } from "./portable/tls.ts";
import { kernelPath, prepare } from "./portable/unix-path.ts";

const ACCEPTING: Accepting = { turn, few: 32 };

export const runtime: Runtime = {
  name: "deno",
  version: Deno.version.deno,
  can: {
    pauseAccept: false,
    abstractUnix: Deno.build.os === "linux",
    reusePort: Deno.build.os === "linux",
    multicast: true,
    sourceMulticast: true,
  },
  descriptors: descriptorLimit(),
  ...clock,
  // Deno accepts up to 128 connections when it asks the kernel.
  ...overTls(listening(ACCEPTING), connect, ACCEPTING),
  tls: tlsTools,
  datagram,
  interfaces,
  ...resolution(confirmWith((host) => datagram({ host, port: 0 }, { receiveBuffer: 0 }))),
  serve,
  ...files,
  openInput,
  importModule,
};

/**
 * Deno asks the kernel when it has nothing else to do: 60 immediates ran before it did. It mostly did after each
 * timer, at times after the third. Whoever comes in the millisecond of the last one may come too late.
 */
async function turn(): Promise<void> {
  for (let timers = 5; timers > 0; timers--) await new Promise((resolve) => setTimeout(resolve, 0));
}

async function serve(at: Address, fetch: Fetch): Promise<Bound> {
  try {
    await prepare(at);
    const quiet = { onListen: () => {} };
    const server =
      at.kind === "unix"
        ? Deno.serve({ ...quiet, path: kernelPath(at) }, fetch)
        : Deno.serve({ ...quiet, hostname: at.host, port: at.port }, fetch);
    const address: Address = at.kind === "tcp" ? { ...at, port: (server.addr as Deno.NetAddr).port } : at;
    return { address, close: () => server.shutdown() };
  } catch (thrown) {
    throw attemptError("listen on", at, thrown);
  }
}
