/** `weir udp send`, `recv`, `forward`, `reverse`: what they mean and say. */
import { describe, expect, test } from "bun:test";
import { type Command, flagsOf, type Run } from "../../src/cli/command.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { program } from "../../src/cli/program.ts";
import { udpConfig } from "../../src/cli/udp-line.ts";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { BRIDGE } from "../../src/datagram/bridge/bridge-config.ts";
import { formatRoute } from "../../src/datagram/bridge/route-address.ts";
import { UsageError } from "../../src/net/errors.ts";
import { runCommand } from "./fake-host.ts";

const COMMANDS: readonly Command[] = program.commands.filter(({ name }) => name.startsWith("udp "));

describe("weir udp", () => {
  test.each([
    // send
    ["send a.log 10.0.0.7:1", ["file:a.log -> udp://10.0.0.7:1"]],
    ["send - 1 239.1.2.3:2", ["- -> udp://127.0.0.1:1, udp://239.1.2.3:2"]],
    ["send fd:3 1 --tee", ["fd:3 -> udp://127.0.0.1:1, -"]],
    ["send file:/a 1 --server-addr b:2", ["file:/a -> udp://127.0.0.1:1, udp://b:2"]],
    ["send --path a --server-addr b:1 --server-addr=b:2 -t", ["file:a -> udp://b:1, udp://b:2, -"]],
    ["send a --server-addr b:1", ["file:a -> udp://b:1"]],
    // recv
    ["recv :9920", ["udp://[::]:9920 -> -"]],
    ["recv 1 239.1.2.3:2%eth0 --out a.log", ["udp://127.0.0.1:1, udp://239.1.2.3:2%eth0 -> file:a.log"]],
    ["recv 1 -o fd:5", ["udp://127.0.0.1:1 -> fd:5"]],
    ["recv 1 --tee", ["udp://127.0.0.1:1 -> -"]],
    ["recv --path a --listen-addr 1 --listen-addr [::1]:2 --tee", ["udp://127.0.0.1:1, udp://[::1]:2 -> file:a, -"]],
    // forward
    ["forward 1 10.0.0.7:2 file:/x listen://:3", ["udp://127.0.0.1:1 -> udp://10.0.0.7:2, file:/x, listen://[::]:3"]],
    ["forward - 10.0.0.7:2 -t", ["- -> udp://10.0.0.7:2, -"]],
    [
      "forward --udp-listen-addr 1 --udp-listen-addr [ff02::1]:2 --udp-downstream-addr b:3 --udp-downstream-addr 4 --tcp-connect-addr c:5 --tls-connect-addr d:6 --tee",
      ["udp://127.0.0.1:1, udp://[ff02::1]:2, tcp://c:5, tls://d:6 -> udp://b:3, udp://127.0.0.1:4, -"],
    ],
    ["forward 1 b:2 --tcp-connect-addr tcp://c:3", ["udp://127.0.0.1:1, tcp://c:3 -> udp://b:2"]],
    ["forward 1 b:2 --tcp-connect-addr unix:/x", ["udp://127.0.0.1:1, unix:/x -> udp://b:2"]],
    ["forward 1 --udp-downstream-addr b:2", ["udp://127.0.0.1:1 -> udp://b:2"]],
    // reverse
    [
      "reverse --udp-listen-addr 1 --tcp-output-addr 2",
      ["udp://127.0.0.1:1 -> udp://[ff02::1]:9918", "udp://[ff02::1]:9918 -> listen://127.0.0.1:2"],
    ],
    [
      "reverse --multicast-addr 239.1.2.3:9918%lo --udp-listen-addr :1 --udp-listen-addr 4 --tcp-listen-addr 0.0.0.0:2 --tcp-listen-addr tcp://:5 --tcp-output-addr listen://:3 --udp-output-addr b:1 --tee",
      [
        "udp://[::]:1, udp://127.0.0.1:4, listen://0.0.0.0:2, listen://[::]:5 -> udp://239.1.2.3:9918%lo, -",
        "udp://239.1.2.3:9918%lo -> listen://[::]:3, udp://b:1",
      ],
    ],
    ["reverse --tcp-listen-addr 1 --tee", ["listen://127.0.0.1:1 -> udp://[ff02::1]:9918, -"]],
    ["reverse --udp-output-addr 1 --tee", ["udp://[ff02::1]:9918 -> udp://127.0.0.1:1, -"]],
    [
      "reverse --multicast-addr 10.0.0.5@232.1.2.3:9 --tcp-listen-addr unix:/x --udp-output-addr 1",
      ["listen://unix:/x -> udp://232.1.2.3:9", "udp://232.1.2.3:9 -> udp://127.0.0.1:1"],
    ],
  ])("%s", (text, routes) => {
    expect(routesOf(text)).toEqual(routes);
  });

  test("has the defaults of a file, but that a sender has no metrics and no threads", () => {
    const file = (routes: string) => loadConfig(`[[udp]]\n${routes}`, "weir.toml");
    const { admin, engine, ...send } = config("send - 10.0.0.7:1");
    const { admin: usual, engine: _, ...inFile } = file('from = "-"\nto = "10.0.0.7:1"');
    expect(send).toEqual(inFile);
    expect(admin).toEqual({ ...usual, listen: null });
    expect(engine.mode).toBe("portable");
    expect(config("recv 1")).toEqual(file('from = 1\ntee = "-"'));
    expect(config("forward 1 10.0.0.7:2")).toEqual(file('from = 1\nto = "10.0.0.7:2"'));
    const names = config("reverse --tcp-listen-addr 1 --udp-output-addr 2").bridges.map(({ name }) => name);
    expect(names).toEqual(["reverse-in", "reverse-out"]);
  });

  test("forward with all flags is what a file with all keys is", () => {
    const file = `
      engine = { mode = "portable", workers = 3 }
      shutdown.grace = "1s"
      admin = { listen = "127.0.0.1:9000", token_env = "T" }
      log = { level = "debug", format = "json", summary_interval = "off", access = false }
      [[udp]]
      name = "ais"
      from = ["-", "udp://239.1.2.3:1%eth1"]
      to = ["udp://239.1.2.4:1", "listen://1", "file:a"]
      tee = "-"
      datagram_size = 512
      cut = "lines"
      multicast = { ttl = 9, loopback = false, interface = "eth0" }
      receive_buffer = "8MiB"
      buffer = "2MiB"
      when_full = "block"
      max_clients = 3
      file = { max_size = "1MiB", keep = 2, fsync = "always" }`;
    const line = [
      "forward - 239.1.2.4:1 listen://1 file:a --udp-listen-addr 239.1.2.3:1%eth1 --tee --name ais --metrics 127.0.0.1:9000",
      "--token-env T --engine portable --workers 3 --grace 1s --lines --datagram-size 512 --ttl 9 --no-loopback",
      "--interface eth0 --receive-buffer 8MiB --buffer 2MiB --when-full block --max-clients 3 --max-size 1MiB --keep 2",
      "--fsync always --log-level debug --log-format json --summary-interval off",
    ];
    const { bridges, ...rest } = config(line.join(" "));
    const { bridges: written, ...others } = loadConfig(file, "weir.toml");
    expect(rest).toEqual({ ...others, log: { ...others.log, access: true } });
    expect(bridges).toEqual(written);
  });

  test.each(COMMANDS.map((command) => [command.name, command] as const))(
    "weir %s has the flags of weir tcp for what is not of TCP",
    (name, command) => {
      const names = flagsOf(command).map((flag) => flag.name);
      // What reads a file is in the main thread anyhow.
      const threads = name === "udp send" ? [] : ["engine", "workers"];
      for (const each of ["name", "metrics", "token-env", ...threads, "grace", "quiet", "log-level"]) {
        expect(names).toContain(each);
      }
    },
  );

  test.each(COMMANDS.map((command) => [command.name, command] as const))(
    "weir %s has the defaults that its help shows",
    (name, command) => {
      const ends: Record<string, string> = {
        "udp send": "- 239.1.2.3:1",
        "udp recv": "1 --out a",
        "udp forward": "- 239.1.2.3:1 listen://1 file:a --udp-listen-addr 2",
        "udp reverse": "--udp-listen-addr 1 --tcp-listen-addr 2 --tcp-output-addr 3",
      };
      const line = `${name.slice(4)} ${ends[name]}`;
      const shown = flagsOf(command).flatMap((flag) => {
        if (flag.default === undefined || flag.name === "out") return [];
        return flag.kind === "boolean" ? [`--${flag.name}`] : [`--${flag.name}=${flag.default}`];
      });
      expect(shown.length).toBeGreaterThan(8);
      const { admin, bridges, ...rest } = config(`${line} ${shown.join(" ")}`);
      const { admin: defaultAdmin, bridges: defaults, ...others } = config(line);
      expect(rest).toEqual(others);
      expect(admin).toEqual({ ...defaultAdmin, explicit: true });
      expect(bridges).toEqual(defaults);
      for (const bridge of bridges) expect(bridge).toMatchObject(BRIDGE);
    },
  );

  test("gives each of two bridges the settings that are for it", () => {
    const ends = "reverse --udp-listen-addr 1 --tcp-listen-addr 2 --tcp-output-addr 3 --multicast-addr 239.1.2.3:9";
    const [into, out] = config(`${ends} --lines --ttl 7 --interface lo --buffer 2KiB --receive-buffer 1MiB`).bridges;
    expect(into).toMatchObject({ cut: "lines", multicast: { ttl: 7, interface: "lo" }, receiveBuffer: 1_048_576 });
    expect(into?.buffer).toBe(BRIDGE.buffer);
    expect(out).toMatchObject({ cut: "size", multicast: BRIDGE.multicast, buffer: 2_048, receiveBuffer: 1_048_576 });
    expect(out?.from.map(formatRoute)).toEqual(["udp://239.1.2.3:9%lo"]);
  });

  test("joins groups on the interface, unless they name one themselves", () => {
    expect(routesOf("recv 239.1.2.3:9 239.1.2.4:9%eth1 9 --interface eth0")).toEqual([
      "udp://239.1.2.3:9%eth0, udp://239.1.2.4:9%eth1, udp://127.0.0.1:9 -> -",
    ]);
  });

  test.each([
    ["send", 'weir udp send: PATH is missing; write a file, or "-" for standard input'],
    ["send a", "weir udp send: TO is missing; write where to send, such as 127.0.0.1:9920"],
    ["send --path a", "weir udp send: TO is missing; write where to send, such as 127.0.0.1:9920"],
    [
      "send a 1 --path b",
      'weir udp send: PATH is given twice, as "a" and by --path; with that, write servers behind --server-addr',
    ],
    ["send a b", 'weir udp send: TO: Cannot parse address "b": the port is missing; write "b:PORT"'],
    [
      "send a listen://1",
      'weir udp send: TO: Cannot parse address "listen://1": write an address of UDP, such as 127.0.0.1:9920',
    ],
    ["send tcp://a:1 1", 'weir udp send: PATH: Cannot parse address "tcp://a:1": write a file, fd:N or "-"'],
    [
      "send fd:x 1",
      'weir udp send: PATH: Cannot parse address "fd:x": "x" is not a descriptor; write a number such as fd:3',
    ],
    ["send - 1 --ttl 300", 'weir udp send: --ttl: expected a whole number from 0 to 255, found "300"'],
    ["send - 1 --ttl 3", "weir udp send: --ttl needs a multicast group to send to; add one, or leave --ttl out"],
    [
      "send - 1 --no-loopback",
      "weir udp send: --loopback needs a multicast group to send to; add one, or leave --loopback out",
    ],
    [
      "send - 1 --interface lo",
      "weir udp send: --interface needs a multicast group to send to, or a multicast group to join; add one, or leave --interface out",
    ],
    [
      "send - 239.1.2.3:1 --interface *",
      'weir udp send: --interface: Cannot use "*" as an interface: it has to be one; write its name, such as eth0',
    ],
    [
      "send - 1 --datagram-size 64KiB",
      'weir udp send: --datagram-size: Cannot parse size "64KiB": it is too large for a datagram; use 1B to 65507B',
    ],
    ["recv", "weir udp recv: LISTEN is missing; write where to receive, such as :9920"],
    ["recv 1 --out a --path b", "weir udp recv: --out and --path say the same; keep one"],
    ["recv 1 --fsync always", "weir udp recv: --fsync needs a file to write to; add one, or leave --fsync out"],
    ["recv 1 -o a --keep 1001", 'weir udp recv: --keep: expected a whole number from 0 to 1000, found "1001"'],
    [
      "recv 1 --out a/",
      'weir udp recv: --out: Cannot parse address "file:a/": it names a directory; write the path of a file',
    ],
    [
      "recv file:a",
      'weir udp recv: LISTEN: Cannot parse address "file:a": write an address of UDP, such as 127.0.0.1:9920',
    ],
    ["recv 1 --listen-adr 2", 'weir udp recv: unknown flag "--listen-adr"; did you mean "--listen-addr"?'],
    ["forward", "weir udp forward: FROM is missing; write where it comes from, such as :9920"],
    ["forward 1", "weir udp forward: TO is missing; write where it goes, such as 10.0.0.7:9920"],
    [
      "forward 1 2 --lines",
      "weir udp forward: --lines needs a source that is a stream: tcp://, tls://, listen://, unix:, file:, fd: or -; add one, or leave --lines out",
    ],
    [
      "forward 1 2 --when-full block",
      "weir udp forward: --when-full needs a listen:// destination; add one, or leave --when-full out",
    ],
    [
      "forward - 2 --receive-buffer 1MiB",
      "weir udp forward: --receive-buffer needs a udp:// source; add one, or leave --receive-buffer out",
    ],
    [
      "forward 1 2 --tcp-connect-addr tls://a:1",
      'weir udp forward: --tcp-connect-addr: Cannot parse address "tls://a:1": write tcp://HOST:PORT, or HOST:PORT alone',
    ],
    [
      "reverse",
      "weir udp reverse: there is neither an input nor an output; write one of each, or one at least: --udp-listen-addr or --tcp-listen-addr, --udp-output-addr or --tcp-output-addr",
    ],
    [
      "reverse --multicast-addr 10.0.0.1:1 --udp-output-addr 2",
      'weir udp reverse: --multicast-addr: Cannot parse address "10.0.0.1:1": write a multicast group, such as 239.1.2.3:9918 or [ff02::1]:9918',
    ],
    ["reverse a", 'weir udp reverse: unexpected argument "a"; usage: weir udp reverse'],
    [
      "reverse --tcp-output-addr udp://1",
      'weir udp reverse: --tcp-output-addr: Cannot parse address "udp://1": write an address to listen on, such as 0.0.0.0:9930',
    ],
    ["snd", 'Unknown command "udp snd"; did you mean "udp send"? "weir udp --help" lists them.'],
    ["xyz", 'Unknown command "udp xyz"; "weir udp --help" lists them.'],
  ])("%p is explained", (text, message) => {
    expect(complaint(() => config(text))).toEqual({ code: "EUSAGE", message });
  });

  test.each([
    [
      "forward 1 127.0.0.1:1",
      "weir udp forward: what goes to udp://127.0.0.1:1 comes back to the bridge by udp://127.0.0.1:1; change one of them",
    ],
    [
      "recv 1 1",
      'weir udp recv: udp://127.0.0.1:1 is taken: bridge "udp-1" already listens on udp://127.0.0.1:1; use another address or port 0',
    ],
    ["recv 1 --out - --tee", "weir udp recv: - is there twice: it would get everything twice; leave one of them out"],
    ["recv 1 --out a --keep 9", "weir udp recv: keep is 9, and no file is put aside; add max_size, or leave keep out"],
    [
      "reverse --udp-listen-addr 1 --udp-output-addr 1",
      'weir udp reverse: datagrams would go in a circle: "reverse-in" -> "reverse-out" -> "reverse-in"; change one of the destinations',
    ],
    [
      "reverse --tcp-listen-addr 1 --tcp-output-addr 1",
      'weir udp reverse: 127.0.0.1:1 is taken: bridge "reverse-in" already listens on 127.0.0.1:1; use another address or port 0',
    ],
  ])("%p is refused", (text, message) => {
    expect(complaint(() => config(text))).toEqual({ code: "ECONFIG", message });
  });

  test.each(["udp", "udp --help", "udp -h", "help udp", "--help udp"])("%p lists the four", async (text) => {
    const { code, out } = await runCommand(text.split(" "));
    expect(code).toBe(0);
    expect(out[0]).toBe("Usage: weir udp COMMAND [FLAGS]");
    for (const { name, summary } of COMMANDS) {
      expect(out.some((line) => line.startsWith(`  ${name}`) && line.endsWith(summary))).toBe(true);
    }
  });

  test("has examples that work", () => {
    for (const { examples } of COMMANDS) {
      for (const { line } of examples) {
        const { bridges, proxies } = config(line.replace(/^weir udp /, ""));
        expect([...bridges, ...proxies]).not.toEqual([]);
      }
    }
  });
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

function complaint(run: () => unknown): { code: string; message: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof UsageError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("nothing was wrong with it");
}
