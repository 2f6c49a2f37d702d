/** `weir udp send`, `recv` and `forward` as their users start them, and mproxy's programs as its quick start has them. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { compile, RUNTIMES } from "../contract/runtimes.ts";
import { haveTool } from "./tools.ts";
import { CAN_NETWORK, folder, network, Program, portOf, Receiver } from "./udp-world.ts";

const ENGINES = process.platform === "linux" ? (["native", "portable"] as const) : (["portable"] as const);

describe("mproxy", () => {
  test.skipIf(!CAN_NETWORK)(
    "works as its description has it, word for word",
    async () => {
      using place = folder();
      using net = network();
      const bin = place.file("bin");
      mkdirSync(bin);
      const program = compile("src/main.ts", "adapters/linux/worker.ts");
      for (const name of ["mproxy-server", "mproxy-client"]) symlinkSync(program, `${bin}/${name}`);
      const shell = (line: string) => {
        const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
        return new Program([...net.inside, "bash", "-c", line], { cwd: place.path, env });
      };
      await using server = shell('exec mproxy-server --listen-addr "localhost:9920" --path "streamoutput.log" --tee');
      await server.ends(server.stderr);
      await using client = shell('exec mproxy-client --path "-" --server-addr "localhost:9920"');
      await client.ends();
      client.type("Hello world!\n");
      expect(await server.stdout.next()).toBe("Hello world!");
      client.type("Again.\n");
      expect(await server.stdout.next()).toBe("Again.");
      await client.endOfInput();
      expect(await client.exit()).toBe(0);
      expect(await client.stdout.rest()).toContain("datagrams in: 2 (20B) | out: 2 (20B) | lost: 0");
      expect(await server.stop()).toBe(0);
      expect(readFileSync(place.file("streamoutput.log"), "utf8")).toBe("Hello world!\nAgain.\n");
      // Nothing but what came stands in standard output.
      expect(await server.stdout.rest()).toBe("");
    },
    60_000,
  );
});

describe("weir udp send", () => {
  test("sends what is typed, line by line, to all, and tells how much that was", async () => {
    using one = await Receiver.open();
    using two = await Receiver.open();
    await using send = await Program.udp(["send", "-", one.address, two.address, "--lines"]);
    send.type("one\ntwo\nthr");
    await one.has("one\n", "two\n");
    send.type("ee\nrest");
    await send.endOfInput();
    expect(await send.exit()).toBe(0);
    for (const { got } of [one, two]) expect(got).toEqual(["one\n", "two\n", "three\n", "rest"]);
    expect(await send.stdout.rest()).toContain("datagrams in: 4 (18B) | out: 8 (36B) | lost: 0");
  });

  test("sends a file in datagrams of one size, and says nothing if it is to be quiet", async () => {
    using place = folder();
    using receiver = await Receiver.open();
    const content = Array.from({ length: 1_000 }, (_, index) => `${index}\n`).join("");
    writeFileSync(place.file("a.log"), content);
    await using send = await Program.udp([
      "send",
      place.file("a.log"),
      receiver.address,
      "--datagram-size",
      "512B",
      "-q",
    ]);
    expect(await send.exit()).toBe(0);
    expect([await send.stdout.rest(), await send.stderr.rest()]).toEqual(["", ""]);
    await receiver.until(() => receiver.got.join("").length === content.length, "all of the file");
    expect(receiver.got.join("")).toBe(content);
    expect(new Set(receiver.got.slice(0, -1).map(({ length }) => length))).toEqual(new Set([512]));
  });

  test.skipIf(process.platform === "win32")("sends what a descriptor gives that it was started with", async () => {
    using place = folder();
    using receiver = await Receiver.open();
    writeFileSync(place.file("a.log"), "from a descriptor");
    const shell = ["bash", "-c", `exec "$@" 9<"${place.file("a.log")}"`, "bash"];
    await using send = await Program.udp(["send", "fd:9", receiver.address], shell);
    expect(await send.exit()).toBe(0);
    await receiver.has("from a descriptor");
  });

  test("copies to standard output what it sends, and its own lines to standard error", async () => {
    using receiver = await Receiver.open();
    await using send = await Program.udp(["send", "-", receiver.address, "--tee"]);
    await send.ends(send.stderr);
    send.type("both\n");
    expect(await send.stdout.next()).toBe("both");
    await receiver.has("both\n");
    await send.endOfInput();
    expect([await send.exit(), await send.stdout.rest()]).toEqual([0, ""]);
  });

  test.skipIf(process.platform === "win32")("and leaves room for what a shell writes behind it", async () => {
    using place = folder();
    using receiver = await Receiver.open();
    const out = place.file("out");
    const line = `(echo before; echo sent | "$@" 2>/dev/null; echo after) >"${out}"`;
    await using send = await Program.udp(["send", "-", receiver.address, "--tee"], ["bash", "-c", line, "bash"]);
    expect(await send.exit()).toBe(0);
    expect(readFileSync(out, "utf8")).toBe("before\nsent\nafter\n");
  });
});

describe("weir udp recv", () => {
  test("writes what comes into files of a size, and keeps so many", async () => {
    using place = folder();
    using sender = await Receiver.open();
    const out = place.file("feed");
    await using recv = await Program.udp([
      "recv",
      "127.0.0.1:0",
      "--out",
      out,
      "--tee",
      "--max-size",
      "4KiB",
      "--keep",
      "2",
    ]);
    const [listen] = await recv.ends(recv.stderr);
    const rows = Array.from({ length: 20 }, (_, index) => `${String(index).padStart(998, ".")}\n`);
    // Each is waited for: together they would be one write, which is never cut.
    for (const row of rows) {
      sender.send(row, portOf(listen));
      expect(`${await recv.stdout.next()}\n`).toBe(row);
    }
    expect(await recv.stop()).toBe(0);
    const files = ["feed.2", "feed.1", "feed"].map((name) => readFileSync(place.file(name), "utf8"));
    for (const { length } of files) expect(length).toBeLessThanOrEqual(4_096);
    expect(existsSync(place.file("feed.3"))).toBe(false);
    expect(rows.join("")).toEndWith(files.join(""));
    expect(files[0]?.length).toBeGreaterThan(0);
  });

  test.skipIf(!haveTool("socat") || !CAN_NETWORK)("hears socat, and is heard by it", async () => {
    using net = network();
    await using recv = await Program.udp(["recv", "127.0.0.1:9920"], net.inside);
    await recv.ends(recv.stderr);
    await using sender = new Program([...net.inside, "socat", "-", "UDP-SENDTO:127.0.0.1:9920"]);
    sender.type("from socat\n");
    expect(await recv.stdout.next()).toBe("from socat");
    await using receiver = new Program([...net.inside, "socat", "-d", "-d", "-u", "UDP-RECV:9921,bind=127.0.0.1", "-"]);
    await receiver.stderr.next((line) => line.includes("starting data transfer loop"));
    await using send = await Program.udp(["send", "-", "127.0.0.1:9921"], net.inside);
    send.type("to socat\n");
    expect(await receiver.stdout.next()).toBe("to socat");
    await send.endOfInput();
    expect(await send.exit()).toBe(0);
  });
});

describe.each([...RUNTIMES])("under %s", (runtime) => {
  test("what is sent is received, and both end", async () => {
    using place = folder();
    const out = place.file("out");
    await using recv = await Program.udp(["recv", "127.0.0.1:0", "--out", out, "--tee"], [], runtime);
    const [listen = ""] = await recv.ends(recv.stderr);
    await using send = await Program.udp(["send", "-", listen, "--lines"], [], runtime);
    send.type("one\ntwo\n");
    expect([await recv.stdout.next(), await recv.stdout.next()]).toEqual(["one", "two"]);
    await send.endOfInput();
    expect(await send.exit()).toBe(0);
    expect(await send.stdout.rest()).toContain("datagrams in: 2 (8B) | out: 2 (8B) | lost: 0");
    expect(await recv.stop()).toBe(0);
    expect(readFileSync(out, "utf8")).toBe("one\ntwo\n");
  });
});

describe.each(ENGINES)("weir udp forward on the %s engine", (engine) => {
  test("passes two ports and a connection on to two hosts, and shows it", async () => {
    using one = await Receiver.open();
    using two = await Receiver.open();
    const opened = Promise.withResolvers<Bun.Socket>();
    const open = (socket: Bun.Socket) => opened.resolve(socket);
    using feed = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {}, open } });
    await using forward = await Program.udp([
      ...[
        "forward",
        "--udp-listen-addr",
        "127.0.0.1:0",
        "--udp-listen-addr",
        "127.0.0.1:0",
        "--engine",
        engine,
        "--tee",
      ],
      ...["--tcp-connect-addr", `127.0.0.1:${feed.port}`, "--lines"],
      ...["--udp-downstream-addr", one.address, "--udp-downstream-addr", two.address],
    ]);
    const [first, second] = await forward.ends(forward.stderr);
    const source = await opened.promise;
    one.send("by the first\n", portOf(first));
    expect(await forward.stdout.next()).toBe("by the first");
    two.send("by the second\n", portOf(second));
    expect(await forward.stdout.next()).toBe("by the second");
    source.write("by a connection\nlin");
    expect(await forward.stdout.next()).toBe("by a connection");
    source.write("e\n");
    expect(await forward.stdout.next()).toBe("line");
    const all = ["by the first\n", "by the second\n", "by a connection\n", "line\n"];
    for (const receiver of [one, two]) {
      await receiver.has(...all);
      expect(receiver.got).toEqual(all);
    }
    expect(await forward.stop()).toBe(0);
    expect(await forward.stderr.rest()).toContain("datagrams in: 4 (48B) | out: 12 (144B) | lost: 0");
  });

  test("gives whoever connects what passes", async () => {
    using sender = await Receiver.open();
    await using forward = await Program.udp([
      "forward",
      "127.0.0.1:0",
      "listen://127.0.0.1:0",
      "--engine",
      engine,
      "--log-level",
      "debug",
    ]);
    const [from, to] = await forward.ends();
    await using client = new Program(["nc", "127.0.0.1", String(portOf(to))]);
    await client.endOfInput();
    await forward.stdout.next((line) => line.includes("has connected to"));
    sender.send("for clients\n", portOf(from));
    expect(await client.stdout.next()).toBe("for clients");
    expect(await forward.stop()).toBe(0);
    expect(await client.exit()).toBe(0);
  });
});

describe("what cannot start says so, with its exit code:", () => {
  test.each([
    [["recv", "239.1.2.3:0%nosuch"], 1, /Cannot join .*There is no network interface "nosuch"/],
    [["send", "-", "239.1.2.3:9", "--interface", "nosuch"], 1, /There is no network interface "nosuch"/],
    [["send", "/nosuch/file", "127.0.0.1:9"], 1, /Cannot open \/nosuch\/file: no such file or directory \(ENOENT\)/],
    [["recv", "127.0.0.1:0", "--out", "/nosuch/file"], 1, /Cannot open \/nosuch\/file: no such file/],
    [["recv", "192.0.2.77:9"], 1, /192\.0\.2\.77:9.*EADDRNOTAVAIL/],
    [["forward", "127.0.0.1:9", "127.0.0.1:9"], 2, /comes back to the bridge/],
  ] as const)("%p", async (args, code, message) => {
    await using weir = await Program.udp(args);
    expect(await weir.exit()).toBe(code);
    expect(await weir.stderr.rest()).toMatch(message);
  });

  test("a port that is taken", async () => {
    using taken = await Receiver.open();
    await using weir = await Program.udp(["recv", taken.address]);
    expect(await weir.exit()).toBe(1);
    expect(await weir.stderr.rest()).toContain(`Cannot listen on ${taken.address}: the address is in use (EADDRINUSE)`);
  });
});
