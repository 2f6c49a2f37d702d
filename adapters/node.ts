/** Node: sockets on `node:net` (node-stream.ts), HTTP on `node:http` through Hono's own adapter. */

import type { Server } from "node:http";
import { platform, versions } from "node:process";
import { createAdaptorServer } from "@hono/node-server";
import type { Address } from "../src/net/address.ts";
import type { Bound, Fetch, Runtime } from "../src/net/runtime.ts";
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
import { boundAddress, connect, listening } from "./portable/node-stream.ts";
import { resolution } from "./portable/resolve.ts";
import { overTls } from "./portable/tls.ts";
import { kernelPath, prepare } from "./portable/unix-path.ts";

/** Node accepts one connection per poll, and an immediate runs straight after that. */
const ACCEPTING: Accepting = { turn: () => new Promise((resolve) => setImmediate(resolve)), few: 0 };

export const runtime: Runtime = {
  name: "node",
  version: versions.node,
  can: {
    pauseAccept: false,
    abstractUnix: platform === "linux",
    reusePort: platform === "linux" && knowsReusePort(versions.node),
    multicast: true,
    sourceMulticast: true,
  },
  descriptors: descriptorLimit(),
  ...clock,
  ...overTls(listening(ACCEPTING), connect, ACCEPTING),
  tls: tlsTools,
  datagram,
  interfaces,
  ...resolution(),
  serve,
  ...files,
  openInput,
  importModule,
};

/** Node 22.12 and 23.1 brought `listen({ reusePort })`; others take no notice of it, and nothing tells. */
function knowsReusePort(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
}

async function serve(at: Address, fetch: Fetch): Promise<Bound> {
  await prepare(at);
  const server = createAdaptorServer({ fetch }) as Server;
  server.headersTimeout = 10_000;
  server.requestTimeout = 15_000;
  const address = await new Promise<Address>((resolve, reject) => {
    server.once("error", (error) => reject(attemptError("listen on", at, error)));
    server.once("listening", () => resolve(boundAddress(server, at)));
    if (at.kind === "unix") server.listen(kernelPath(at));
    else server.listen(at.port, at.host);
  });
  // A failed accept; the next one may succeed.
  server.on("error", () => {});
  const close = async () => {
    server.close();
    server.closeAllConnections();
  };
  return { address, close };
}
