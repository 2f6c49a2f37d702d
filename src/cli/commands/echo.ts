/** `weir echo [LISTEN]`: a server that sends back what it gets. */
import { Log } from "../../log/log.ts";
import { formatAddress, parseAddress } from "../../net/address.ts";
import { EchoServer } from "../../proxy/echo.ts";
import { graceOption, logOptions } from "../config-flags.ts";
import { type CommandRun, stopSignals } from "../context.ts";

export const echo: CommandRun = async ({ runtime, host, line }) => {
  const log = new Log(logOptions(line), host, () => runtime.wallClock());
  const signals = stopSignals(host);
  const server = await EchoServer.open(runtime, parseAddress(line.positionals[0] ?? "127.0.0.1:0", "listen"));
  const address = formatAddress(server.address);
  log.write("info", "listening", `listening ${address} (echo)`, { address });
  await signals.first;
  await server.stop(graceOption(line), signals.again);
  return 0;
};
