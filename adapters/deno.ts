/**
 * Deno: sockets on `node:net` (node-stream.ts), because Deno's own cannot send RST or bind a source
 * address; HTTP on Deno.serve.
 */
import type { Address } from "../src/net/address.ts";
import type { Bound, Fetch, Runtime } from "../src/net/runtime.ts";
import { clock } from "./portable/clock.ts";
import { descriptorLimit } from "./portable/descriptors.ts";
import { attemptError } from "./portable/errors.ts";
import { datagram } from "./portable/node-datagram.ts";
import { connect, listen } from "./portable/node-stream.ts";
import { kernelPath, prepare } from "./portable/unix-path.ts";

export const runtime: Runtime = {
  name: "deno",
  version: Deno.version.deno,
  can: { pauseAccept: false, abstractUnix: Deno.build.os === "linux" },
  descriptors: descriptorLimit(),
  ...clock,
  listen,
  connect,
  datagram,
  serve,
};

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
