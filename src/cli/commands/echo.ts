/** `weir echo [LISTEN]`: a server that sends back what it gets. */
import { Log } from "../../log/log.ts";
import { formatAddress, parsePlainListen } from "../../net/address.ts";
import { DatagramEcho } from "../../proxy/datagram-echo.ts";
import { EchoServer } from "../../proxy/echo.ts";
import { graceOption, logOptions } from "../config-flags.ts";
import { type CommandRun, stopSignals } from "../context.ts";

export const echo: CommandRun = async ({ runtime, host, line }) => {
  const log = new Log(logOptions(line), host, () => runtime.wallClock());
  const signals = stopSignals(host);
  const at = parsePlainListen(line.positionals[0] ?? "127.0.0.1:0");
  const server = at.kind === "udp" ? await DatagramEcho.open(runtime, at) : await EchoServer.open(runtime, at);
  const address = formatAddress(server.address);
  log.write("info", "listening", `listening ${address} (echo)`, { address });
  await signals.first;
  await server.stop(graceOption(line), signals.again);
  return 0;
};
