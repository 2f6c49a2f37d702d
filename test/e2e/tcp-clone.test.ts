/** The sessions that tcp-clone's description draws: its file as it is, with iperf and with netcat. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { Netcat } from "./netcat.ts";
import { ENGINES, type Engine, linux, ownHost } from "./observer-world.ts";
import { haveTool } from "./tools.ts";
import { run, Weir } from "./weir.ts";

const directory = mkdtempSync(join(tmpdir(), "weir-clone-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Each test has the ports of the description at an address of its own. */
let host = "";
let cleanups: AsyncDisposableStack;
beforeEach(() => {
  host = ownHost();
  cleanups = new AsyncDisposableStack();
});
afterEach(() => cleanups.disposeAsync());

/** weir runs the file of the description. */
async function clone(engine: Engine): Promise<{ weir: Weir; views: () => Promise<readonly View[]> }> {
  const path = join(directory, `${host}.toml`);
  writeFileSync(
    path,
    `
[[tcp_clone]]

  [tcp_clone.server]
  listen_addr = "${host}:1202"

  [tcp_clone.target]
  addr = "${host}:5000"

  [[tcp_clone.observer]]
  addr = "${host}:6000"

  [[tcp_clone.observer]]
  addr = "${host}:7000"
`,
  );
  const weir = cleanups.use(await Weir.start(["run", path, "--engine", engine, "--metrics", "127.0.0.1:0"]));
  const metrics = (await weir.stdout.next((line) => line.startsWith("metrics "))).replace("metrics ", "");
  const views = async () => {
    const page = (await (await fetch(metrics.replace("/metrics", "/api/proxies"))).json()) as {
      proxies: { bytes_upstream: number; observers: { bytes: number; bytesLost: number; connections: number }[] }[];
    };
    return page.proxies.flatMap(({ bytes_upstream: upstream, observers }) =>
      observers.map((observer) => ({ ...observer, upstream })),
    );
  };
  return { weir, views };
}

interface View {
  readonly upstream: number;
  readonly bytes: number;
  readonly bytesLost: number;
  readonly connections: number;
}

describe.skipIf(!linux || !haveTool("nc")).each([...ENGINES])("netcat, on the %s engine", (engine) => {
  const listen = async (port: number) => cleanups.use(await Netcat.listen(host, port));

  /** The four of the description, and the client has said hello. */
  async function four() {
    const { weir, views } = await clone(engine);
    const target = await listen(5_000);
    const [first, second] = [await listen(6_000), await listen(7_000)];
    const client = cleanups.use(Netcat.connect(host, 1_202));
    client.type("hello\n");
    await Promise.all([target, first, second].map((each) => each.shows("hello\n")));
    return { weir, views, target, first, second, client };
  }

  test("what each types appears where it should; the client goes, and all are disconnected", async () => {
    const { client, target, first, second } = await four();
    target.type("good day\n");
    await client.shows("good day\n");
    first.type("psst\n");
    second.type("pardon?\n");
    client.type("how are you?\n");
    await Promise.all([target, first, second].map((each) => each.shows("how are you?\n")));
    target.type("fine\n");
    await client.shows("fine\n");
    client.signal("SIGINT");
    await Promise.all([client, target, first, second].map((each) => each.exit()));
    expect(client.text).toBe("good day\nfine\n");
    for (const each of [target, first, second]) expect(each.text).toBe("hello\nhow are you?\n");
  });

  test("the target goes, and client and observers are disconnected", async () => {
    const { client, target, first, second } = await four();
    target.signal("SIGINT");
    // netcat itself stays until its input has ended as well.
    await client.endOfInput();
    await Promise.all([client, first, second].map((each) => each.exit()));
    for (const each of [first, second]) expect(each.text).toBe("hello\n");
    expect(client.text).toBe("");
  });

  test("an observer goes, and nobody else notices", async () => {
    const { client, target, first, second } = await four();
    first.signal("SIGKILL");
    await first.exit();
    for (const word of ["one\n", "two\n", "three\n"]) {
      client.type(word);
      await Promise.all([target, second].map((each) => each.shows(word)));
      target.type(`${word}too\n`);
      await client.shows(`${word}too\n`);
    }
    client.signal("SIGINT");
    await Promise.all([target, second].map((each) => each.exit()));
    expect(second.text).toBe("hello\none\ntwo\nthree\n");
    expect(client.text).toBe("one\ntoo\ntwo\ntoo\nthree\ntoo\n");
  });

  test("observers that are not there are told once, and missed by nobody", async () => {
    const { weir } = await clone(engine);
    const target = await listen(5_000);
    const client = cleanups.use(Netcat.connect(host, 1_202));
    client.type("hello\n");
    await target.shows("hello\n");
    target.type("good day\n");
    await client.shows("good day\n");
    const told = [await weir.stderr.next(), await weir.stderr.next()];
    expect(told.sort()).toEqual(
      [6_000, 7_000].map(
        (port) =>
          `weir: observer ${host}:${port} of proxy "proxy-1": ` +
          `Cannot connect to ${host}:${port}: connection refused (ECONNREFUSED)`,
      ),
    );
    client.signal("SIGINT");
    await target.exit();
    weir.signal("SIGKILL");
    expect(await weir.stderr.rest()).toBe("");
  });
});

/** A server of iperf's that runs until the test is over, and the lines that it has printed. */
class IperfServer implements AsyncDisposable {
  lines: string[] = [];
  readonly #child: Subprocess<"ignore", "pipe", "inherit">;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(argv: readonly string[]) {
    this.#child = Bun.spawn([...argv], { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
    this.#reader = this.#child.stdout.getReader();
  }

  static async start(...argv: readonly string[]): Promise<IperfServer> {
    const server = cleanups.use(new IperfServer(argv));
    await server.until((lines) => /listening/.test(lines.join("\n")));
    return server;
  }

  /** It has printed such lines. */
  async until(holds: (lines: readonly string[]) => boolean): Promise<void> {
    const decoder = new TextDecoder();
    while (!holds(this.lines)) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error(`it has ended: ${this.lines.join("\n")}`);
      const text = [this.lines.pop() ?? "", decoder.decode(value)].join("");
      this.lines.push(...text.split("\n"));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}

describe.skipIf(!linux || !haveTool("iperf")).each([...ENGINES])("iperf, on the %s engine", (engine) => {
  /** Bytes of each of the four connections of a run, as a server has counted them. */
  const counted = async (server: IperfServer) => {
    const sum = /^\[SUM\] .* (\d+) Bytes /;
    await server.until((lines) => lines.slice(0, -1).some((line) => sum.test(line)));
    const one = /^\[ +\d+\] \S+ sec +(\d+) Bytes /;
    return server.lines.flatMap((line) => one.exec(line)?.[1] ?? []).map(Number);
  };

  test("four connections at once, with a target and observers of different speed", async () => {
    const { views } = await clone(engine);
    const serve = (port: string, rate: string) =>
      IperfServer.start("iperf", "-s", "-B", host, "-p", port, "-b", rate, "-f", "B");
    const target = await serve("5000", "800Mbits/sec");
    const observers = [await serve("6000", "1Gbytes/sec"), await serve("7000", "500Mbits/sec")];
    const size = 10 * 2 ** 20;
    const result = await run(["iperf", "-c", host, "-p", "1202", "-n", String(size), "-P", "4", "-f", "B"]);
    expect(result).toMatchObject({ code: 0, err: "" });
    expect(result.out).toMatch(new RegExp(`^\\[SUM\\] .* ${4 * size} Bytes `, "m"));
    expect(await counted(target)).toEqual([size, size, size, size]);
    const reports = await Promise.all(observers.map(counted));
    const figures = await views();
    for (const [index, report] of reports.entries()) {
      expect(report).toHaveLength(4);
      const { upstream, bytes, bytesLost } = figures[index] ?? {};
      expect(upstream).toBe(4 * size);
      expect((bytes ?? 0) + (bytesLost ?? 0)).toBe(4 * size);
      // What was given to the observer is what it has got.
      expect(report.reduce((sum, each) => sum + each, 0)).toBe(bytes ?? 0);
    }
  });
});

describe.skipIf(!linux || !haveTool("iperf3")).each([...ENGINES])("iperf3, on the %s engine", (engine) => {
  const size = 20 * 2 ** 20;
  const client = async () => {
    const { out } = await run(["iperf3", "-c", host, "-p", "1202", "-n", String(size), "-J"]);
    return JSON.parse(out) as { error?: string; end: { sum_sent: { bytes: number } } };
  };
  const serve = (port: string) => IperfServer.start("iperf3", "-s", "-B", host, "-p", port, "--forceflush");

  test("an observer gets both connections, the one of control and the one of bytes", async () => {
    const { views } = await clone(engine);
    await serve("5000");
    const received: number[] = [];
    const over = Promise.withResolvers<void>();
    let left = 2;
    using sink = Bun.listen<{ at: number }>({
      hostname: host,
      port: 6_000,
      socket: {
        open(socket) {
          socket.data = { at: received.push(0) - 1 };
        },
        data(socket, chunk) {
          (received[socket.data.at] as number) += chunk.length;
        },
        close() {
          left--;
          if (left === 0) over.resolve();
        },
      },
    });
    expect(sink.port).toBe(6_000);
    const result = await client();
    expect(result.error).toBeUndefined();
    expect(result.end.sum_sent.bytes).toBe(size);
    await over.promise;
    const [figures] = await views();
    expect(received).toHaveLength(2);
    expect(received.reduce((sum, each) => sum + each, 0)).toBe(figures?.bytes ?? 0);
    expect((figures?.bytes ?? 0) + (figures?.bytesLost ?? 0)).toBe(figures?.upstream ?? 0);
    // The connection of control may say "done" before the last bytes of the other have passed.
    expect(figures?.upstream ?? 0).toBeGreaterThan(size / 2);
  });

  test("an observer that is a server of iperf3 answers, and nobody hears it", async () => {
    await clone(engine);
    const target = await serve("5000");
    const observer = await serve("6000");
    const result = await client();
    expect(result.error).toBeUndefined();
    expect(result.end.sum_sent.bytes).toBe(size);
    const accepted = (lines: readonly string[]) => lines.some((line) => line.startsWith("Accepted connection from "));
    await Promise.all([target.until(accepted), observer.until(accepted)]);
  });
});
