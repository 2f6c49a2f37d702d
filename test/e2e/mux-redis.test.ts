/** `weir mux` between Redis and the programs that come with it. */
import { describe, expect, test } from "bun:test";
import { once } from "node:events";
import { connect } from "node:net";
import { Daemon } from "./daemon.ts";
import { KINDS, type Kind, mux } from "./mux-rig.ts";
import { ENGINES } from "./observer-world.ts";
import { haveTool } from "./tools.ts";
import { run } from "./weir.ts";

const HAVE_REDIS = haveTool("redis-server") && haveTool("redis-cli");
const HAVE_BENCHMARK = haveTool("redis-benchmark");

/** What redis-cli says to these arguments; with an input it reads commands from there, or a value with `-x`. */
async function cli(port: number | undefined, args: readonly string[], input?: string) {
  const said = await run(["redis-cli", "-p", String(port), ...args], input);
  // A blank line follows each error.
  return { ...said, lines: said.out.split("\n").filter((line) => line !== "") };
}

/** Redis with weir in front of it. */
async function world(flags: readonly string[], kind: Kind) {
  const redis = await Daemon.start({
    ports: 1,
    prepare: async ([port]) => ["redis-server", "--port", String(port), "--bind", "127.0.0.1", "--save", ""],
    ready: async ([port]) => (await cli(port, ["PING"])).out === "PONG\n",
  });
  const [target] = redis.ports;
  const weir = await mux("redis", target, flags, kind);
  /** A number that Redis tells when it is asked directly. */
  const info = async (name: string) =>
    Number(new RegExp(`^${name}:(\\d+)`, "m").exec((await cli(target, ["INFO"])).out)?.[1]);
  return {
    port: weir.port,
    ask: async (...args: string[]) => (await cli(weir.port, args)).out,
    info,
    async [Symbol.asyncDispose]() {
      await weir[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    },
  };
}

const refused = (what: string) => `ERR weir: ${what} is not possible over a shared connection`;

describe.skipIf(!HAVE_REDIS)("redis-cli", () => {
  test.each(KINDS)("works under %s, %s, with what a shared connection can do", async (runtime, engine) => {
    await using it = await world([], { runtime, engine });
    const before = await it.info("total_connections_received");
    expect(await it.ask("SET", "colour", "red")).toBe("OK\n");
    expect(await it.ask("GET", "colour")).toBe("red\n");
    expect(await it.ask("GET", "nothing")).toBe("\n");
    expect(await it.ask("EVAL", "return {1, {2, 'three'}, redis.status_reply('FINE')}", "0")).toBe(
      "1\n2\nthree\nFINE\n",
    );
    expect(await it.ask("XADD", "stream", "1-1", "field", "value")).toBe("1-1\n");
    expect(await it.ask("XREAD", "COUNT", "1", "STREAMS", "stream", "0")).toBe("stream\n1-1\nfield\nvalue\n");
    expect(await it.ask("--raw", "NOSUCH")).toStartWith("ERR unknown command 'NOSUCH'");
    const typed = Array.from({ length: 500 }, (_, n) => `INCR n\nSET "key ${n}" 'a "word" ${n}'\n`).join("");
    const { lines, err } = await cli(it.port, [], typed);
    expect(lines).toEqual(Array.from({ length: 500 }, (_, n) => [String(n + 1), "OK"]).flat());
    expect(err).toBe("");
    expect(await it.ask("GET", "key 499")).toBe('a "word" 499\n');
    // All of that over one connection; the other is that of the question.
    expect((await it.info("total_connections_received")) - before).toBe(2);
  });

  test.each(KINDS)("is told under %s, %s, what it cannot do, and goes on", async (runtime, engine) => {
    await using it = await world([], { runtime, engine });
    const commands = [
      ["SET k v", "OK"],
      ["SUBSCRIBE news", refused("SUBSCRIBE")],
      ["BLPOP list 1", refused("BLPOP")],
      ["xread block 0 streams s $", refused("XREAD BLOCK")],
      ["MONITOR", refused("MONITOR")],
      ["WATCH k", refused("WATCH")],
      ["AUTH secret", refused("AUTH")],
      ["CLIENT SETNAME me", "OK"],
      ["CLIENT TRACKING on", refused("CLIENT TRACKING")],
      ["SELECT 0", "OK"],
      ["GET k", "v"],
    ] as const;
    const { lines, err } = await cli(it.port, [], commands.map(([command]) => `${command}\n`).join(""));
    expect(lines).toEqual(commands.map(([, answer]) => answer));
    expect(err).toBe("");
    // What follows these would not be what was meant: the connection ends, and redis-cli makes another.
    for (const [command, name] of [
      ["MULTI", "MULTI"],
      ["SELECT 3", "SELECT of a database other than 0"],
    ] as const) {
      const { out } = await cli(it.port, [], `${command}\nDEL k\nGET k\n`);
      expect(out.split("\n")).toEqual([refused(name), "", "v", ""]);
    }
    expect((await cli(it.port, ["-3", "GET", "k"])).out).toBe("v\n");
    expect((await cli(it.port, ["-n", "3", "DEL", "k"])).code).toBe(1);
    expect(await it.ask("GET", "k")).toBe("v\n");
  });

  test.each([...ENGINES])("moves values of 512 KB, several at once, on the %s engine", async (engine) => {
    await using it = await world(["--max-message", "600KiB", "--in-flight", "16"], { engine });
    const value = (n: number) => `${n}`.repeat(512 * 1024);
    const small = Promise.all(
      Array.from({ length: 10 }, (_, n) => cli(it.port, [], `SET small${n} ${n}\n`.repeat(50))),
    );
    const set = await Promise.all([1, 2, 3, 4].map((n) => cli(it.port, ["-x", "SET", `big${n}`], value(n))));
    expect(set.map(({ out }) => out)).toEqual(Array(4).fill("OK\n"));
    const got = await Promise.all([1, 2, 3, 4].map((n) => it.ask("GET", `big${n}`)));
    // In one word each: a difference would be long to read.
    expect(got.map((out, index) => out === `${value(index + 1)}\n`)).toEqual(Array(4).fill(true));
    for (const { lines } of await small) expect(lines).toEqual(Array(50).fill("OK"));
    // A request that is larger is refused, and nothing else is: replies pass as they come.
    const large = await cli(it.port, ["-x", "SET", "big1"], "x".repeat(600 * 1024));
    expect(large.out).toMatch(/^ERR weir: a message of \d+ bytes or more, where max_message is 614400\n/);
    expect(await it.ask("APPEND", "big1", "x".repeat(100_000))).toBe(`${512 * 1024 + 100_000}\n`);
    expect(await it.ask("GET", "big1")).toBe(`${value(1)}${"x".repeat(100_000)}\n`);
    expect(await it.ask("GETRANGE", "big1", "0", "9")).toBe("1111111111\n");
  });
});

describe.skipIf(!HAVE_REDIS)("a name that Redis takes for another, if it gets there", () => {
  const command = (...words: string[]) =>
    `*${words.length}\r\n${words.map((one) => `$${one.length}\r\n${one}\r\n`).join("")}`;

  test("changes nothing for another client", async () => {
    await using it = await world(["--in-flight", "64", "--queue-per-client", "5000"], { engine: "portable" });
    expect(await it.ask("SET", "k", "mine")).toBe("OK\n");
    // Where one of them is MULTI depends on a seed of Redis; of some thousand it is one.
    const names = Array.from({ length: 4_000 }, (_, n) => `MULTI\0${n}`);
    const socket = connect(it.port, "127.0.0.1");
    let said = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      said += text;
      if (said.endsWith("+PONG\r\n")) socket.end();
    });
    socket.write(names.map((name) => command(name)).join("") + command("PING"), "latin1");
    const asked: string[] = [];
    for (const over = once(socket, "close").then(() => true); ; ) {
      asked.push(await it.ask("GET", "k"));
      if (await Promise.race([over, Promise.resolve(false)])) break;
    }
    asked.push(await it.ask("GET", "k"));
    expect(new Set(asked)).toEqual(new Set(["mine\n"]));
    const lines = said.split("\r\n");
    expect(lines).toHaveLength(names.length + 2);
    expect(lines.filter((line) => line.startsWith("-ERR weir: a command's name"))).toHaveLength(names.length);
  });
});

describe.skipIf(!HAVE_REDIS || !HAVE_BENCHMARK)("redis-benchmark", () => {
  test.each([...ENGINES])("does all that it was told, over two connections of the %s engine", async (engine) => {
    await using it = await world(["--connections", "2", "--in-flight", "64"], { engine });
    const before = await it.info("total_connections_received");
    const tests = ["set", "get", "incr", "lpush", "mset"];
    for (const pipeline of ["1", "8"]) {
      const what = ["-t", tests.join(), "-n", "5000", "-c", "20", "-P", pipeline, "--csv"];
      const { code, out, err } = await run(["redis-benchmark", "-p", String(it.port), ...what]);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      const names = out.split("\n").map((line) => /^"(\w+)/.exec(line)?.[1]);
      expect(names).toEqual(["test", "SET", "GET", "INCR", "LPUSH", "MSET", undefined]);
      expect(out).not.toMatch(/error/i);
    }
    expect((await it.info("total_connections_received")) - before - 1).toBeLessThanOrEqual(2);
    expect(await it.info("connected_clients")).toBeLessThanOrEqual(3);
    // Nothing was lost or done twice.
    expect(await it.ask("GET", "counter:__rand_int__")).toBe("10000\n");
    expect(await it.ask("LLEN", "mylist")).toBe("10000\n");
    expect(await it.ask("STRLEN", "key:__rand_int__")).toBe("3\n");
  });
});
