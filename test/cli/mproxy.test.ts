/** The command lines of mproxy-client, mproxy-server, mproxy-forward and mproxy-reverse. */
import { describe, expect, test } from "bun:test";
import type { Run } from "../../src/cli/command.ts";
import { translated } from "../../src/cli/old-names.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { program } from "../../src/cli/program.ts";
import { udpConfig } from "../../src/cli/udp-line.ts";
import type { Config } from "../../src/config/config.ts";
import { formatRoute } from "../../src/datagram/bridge/route-address.ts";
import { runCommand } from "./fake-host.ts";

describe("the command lines of mproxy", () => {
  test.each([
    ["mproxy-client", "--path - --server-addr localhost:9920", ["- -> udp://localhost:9920"]],
    [
      "mproxy-client",
      "--path=a.log --server-addr=[::1]:1 --server-addr [ff02::1]:2 --tee",
      ["file:a.log -> udp://[::1]:1, udp://[ff02::1]:2, -"],
    ],
    [
      "mproxy-server",
      "--listen-addr localhost:9920 --path streamoutput.log --tee",
      ["udp://localhost:9920 -> file:streamoutput.log, -"],
    ],
    [
      "mproxy-server",
      "--path a --listen-addr 0.0.0.0:1 --listen-addr [ff02::1]:2 -t",
      ["udp://0.0.0.0:1, udp://[ff02::1]:2 -> file:a, -"],
    ],
    [
      "mproxy-forward",
      "--udp-listen-addr [ff02::1]:9920 --udp-downstream-addr [::1]:9921 --udp-downstream-addr localhost:9922 --tcp-connect-addr localhost:9925 --tee",
      ["udp://[ff02::1]:9920, tcp://localhost:9925 -> udp://[::1]:9921, udp://localhost:9922, -"],
    ],
    [
      "mproxy-reverse",
      "--udp-listen-addr 0.0.0.0:9920 --tcp-output-addr [::1]:9921",
      ["udp://0.0.0.0:9920 -> udp://[ff02::1]:9918", "udp://[ff02::1]:9918 -> listen://[::1]:9921"],
    ],
    [
      "mproxy-reverse",
      "--tcp-listen-addr localhost:9920 --multicast-addr 224.0.0.1:9918 --udp-output-addr localhost:9921 --tee",
      ["listen://localhost:9920 -> udp://224.0.0.1:9918, -", "udp://224.0.0.1:9918 -> udp://localhost:9921"],
    ],
  ])("%s %s", (name, text, routes) => {
    const [first, ...rest] = translated(name, text.split(" "));
    expect(first).toBe("udp");
    expect(routesOf(rest.join(" "))).toEqual(routes);
  });

  test.each(["client", "server", "forward", "reverse"])(
    "mproxy-%s alone, or with --help, explains itself",
    async (which) => {
      const command = which.replace("client", "send").replace("server", "recv");
      for (const args of [[], ["-h"], ["--help"]]) {
        const { code, out } = await runCommand(args, {}, 0, `mproxy-${which}`);
        expect(code).toBe(0);
        expect(out.join("\n")).toContain(`Usage: weir udp ${command}`);
      }
    },
  );
});

function config(text: string): Config {
  const parsed = parseCommandLine(["udp", ...text.split(" ")], program);
  if (parsed.kind !== "run") throw new Error("it asks for help");
  return udpConfig(parsed satisfies Run);
}

function routesOf(text: string): string[] {
  return config(text).bridges.map(({ from, to }) => {
    return `${from.map(formatRoute).join(", ")} -> ${to.map(formatRoute).join(", ")}`;
  });
}
