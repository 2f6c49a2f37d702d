/** Lets addresses with TLS go the way of node-tls.ts, which is loaded when the first one comes: it takes megabytes. */
import { isTls, type TcpAddress } from "../../src/net/address.ts";
import type { Connecting, Runtime } from "../../src/net/runtime.ts";
import type { Accepting } from "./accept-queue.ts";
import { Attempt } from "./connecting.ts";

/** `listen` and `connect` of a runtime that accepts like that; what they are given is for addresses without. */
export function overTls(
  listen: Runtime["listen"],
  connect: Runtime["connect"],
  accepting: Accepting,
): Pick<Runtime, "listen" | "connect"> {
  return {
    async listen(at, options, accept) {
      if (!isTls(at)) return await listen(at, options, accept);
      const { tlsListening } = await import("./node-tls.ts");
      return await tlsListening(accepting)(at, options, accept);
    },
    connect(to, options) {
      if (!isTls(to)) return connect(to, options);
      return loaded ? loaded(to as TcpAddress, options) : later(to as TcpAddress, options);
    },
  };
}

let loaded: ((to: TcpAddress, options: Parameters<Runtime["connect"]>[1]) => Connecting) | undefined;

/** The first one, whose time runs while the module is loaded. */
function later(to: TcpAddress, options: Parameters<Runtime["connect"]>[1]): Connecting {
  const attempt = new Attempt(to, options.timeout);
  import("./node-tls.ts").then(
    ({ connectTls }) => {
      loaded = connectTls;
      if (attempt.settled) return;
      const inner = connectTls(to, options);
      attempt.stop = () => inner.cancel();
      inner.socket.then(
        (socket) => attempt.succeed(socket) || socket.abort(),
        (error) => attempt.fail(error),
      );
    },
    (error) => attempt.fail(error),
  );
  return attempt;
}
