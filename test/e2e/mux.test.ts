/** `weir mux` as its users start it, and tcp-multiplexer as its own did: its description, with netcat. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command, compile } from "../contract/runtimes.ts";
import { Netcat } from "./netcat.ts";
import { ENGINES, linux, ownHost } from "./observer-world.ts";
import { haveTool } from "./tools.ts";
import { Weir } from "./weir.ts";

const directory = mkdtempSync(join(tmpdir(), "weir-mux-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let cleanups: AsyncDisposableStack;
beforeEach(() => {
  cleanups = new AsyncDisposableStack();
});
afterEach(() => cleanups.disposeAsync());

/** Sends back all but questions; says how many connections there were, and what came over them. */
function echoTarget(hostname = "127.0.0.1", port = 0) {
  const seen = { connections: 0, text: "" };
  const server = Bun.listen({
    hostname,
    port,
    socket: {
      open() {
        seen.connections++;
      },
      data(socket, bytes) {
        seen.text += bytes.toString("latin1");
        if (!bytes.includes("?")) socket.write(bytes);
      },
    },
  });
  cleanups.defer(() => server.stop(true));
  return Object.assign(seen, { address: `${hostname}:${server.port}` });
}

/** A client that waits for what it is to get. */
class Client implements AsyncDisposable {
  text = "";
  readonly closed: Promise<void>;
  #socket: Bun.Socket | undefined;
  #over = false;
  #wake: () => void = () => {};
  #close: () => void = () => {};

  static async connect(port: number, hostname = "127.0.0.1"): Promise<Client> {
    const client = cleanups.use(new Client());
    client.#socket = await Bun.connect({
      hostname,
      port,
      socket: {
        data(_, bytes) {
          client.text += bytes.toString("latin1");
          client.#wake();
        },
        close() {
          client.#over = true;
          client.#close();
          client.#wake();
        },
      },
    });
    return client;
  }

  private constructor() {
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  /** Says something, and waits for this answer. */
  async ask(text: string, answer = text): Promise<void> {
    this.text = "";
    this.#socket?.write(text);
    while (this.text.length < answer.length && !this.#over) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    expect(this.text).toBe(answer);
  }

  type(text: string): void {
    this.#socket?.write(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket?.terminate();
  }
}

describe.each([...ENGINES])("on the %s engine", (engine) => {
  const start = async (args: readonly string[]) =>
    cleanups.use(await Weir.start(["mux", ...args, "--engine", engine, "--metrics", "off"]));

  test.skipIf(!linux || !haveTool("nc"))("netcat: everybody over one connection, each gets his own", async () => {
    const host = ownHost();
    const target = echoTarget(host, 1_234);
    const weir = await start(["-p", "echo", "-t", `${host}:1234`, "-l", `${host}:8000`]);
    await weir.port();
    const first = cleanups.use(Netcat.connect(host, 8_000));
    first.type("kkk\n");
    await first.shows("kkk\n");
    const second = cleanups.use(Netcat.connect(host, 8_000));
    second.type("mmm\n");
    await second.shows("mmm\n");
    first.type("one\ntwo\n");
    await first.shows("one\ntwo\n");
    first.signal("SIGINT");
    await first.exit();
    // Not whole before its end has come.
    second.type("nn");
    second.type("n\n");
    await second.shows("nnn\n");
    expect(first.text).toBe("kkk\none\ntwo\n");
    expect(second.text).toBe("mmm\nnnn\n");
    expect(target).toMatchObject({ connections: 1, text: "kkk\nmmm\none\ntwo\nnnn\n" });
    second.signal("SIGINT");
    await second.exit();
    weir.signal("SIGTERM");
    expect(await weir.exit()).toBe(0);
  });

  test("messages end as the delimiter says, and requests of several clients are never mixed", async () => {
    const target = echoTarget();
    const weir = await start(["127.0.0.1:0", target.address, "--delimiter", "\\r\\x03", "--in-flight", "8"]);
    const port = await weir.port();
    const clients = await Promise.all(Array.from({ length: 20 }, () => Client.connect(port)));
    await Promise.all(
      clients.map(async (client, index) => {
        for (let round = 0; round < 50; round++) await client.ask(`client ${index}\nround ${round}\r\x03`);
      }),
    );
    expect(target.connections).toBe(1);
  });

  test("a target that does not answer: who has asked is cut off, and the others go on", async () => {
    const target = echoTarget();
    const weir = await start(["127.0.0.1:0", target.address, "--timeout", "500ms"]);
    const port = await weir.port();
    const client = await Client.connect(port);
    const other = await Client.connect(port);
    await client.ask("hello\n");
    client.type("is anybody there?\n");
    await client.closed;
    expect(client.text).toBe("hello\n");
    // Over another connection: an answer that comes late is not to be taken for one to this.
    await other.ask("good day\n");
    expect(target).toMatchObject({ connections: 2, text: "hello\nis anybody there?\ngood day\n" });
  });

  test.skipIf(!linux)("a file may change what it says while clients are there", async () => {
    const target = echoTarget();
    const host = ownHost();
    const path = join(directory, `${engine}.toml`);
    const write = (more: string) => {
      const table = `[[mux]]\nlisten = "${host}:8000"\ntarget = "${target.address}"\n`;
      writeFileSync(path, `engine.mode = "${engine}"\n${table}${more}\n`);
    };
    write("");
    const weir = cleanups.use(await Weir.start(["run", path, "--metrics", "127.0.0.1:0"]));
    await weir.port();
    const client = await Client.connect(8_000, host);
    await client.ask("one\n");
    const reloaded = async () => {
      weir.signal("SIGHUP");
      return await weir.stdout.next((line) => line.startsWith("weir: reloaded"));
    };
    // What says nothing of how messages are cut changes the proxy that is there,
    write('in_flight = 4\ntimeout = "5s"');
    expect(await reloaded()).toBe("weir: reloaded: mux-1 changed");
    await client.ask("two\n");
    // and what does makes another one. Who is here already goes on as he began.
    write('delimiter = ";"');
    expect(await reloaded()).toBe("weir: reloaded: mux-1 added; mux-1 removed");
    await client.ask("three\n");
    expect(target.connections).toBe(1);
    const late = await Client.connect(8_000, host);
    await late.ask("four\nfive;");
    expect(target.connections).toBe(2);
  });
});

describe("the name tcp-multiplexer", () => {
  const runs = async (argv: readonly string[]) => {
    const target = echoTarget();
    const args = ["server", "-p", "echo", "-t", target.address, "-l", "0"];
    const weir = cleanups.use(Weir.spawn([...argv, ...args]));
    const listening = await weir.stdout.next((line) => line.startsWith("listening "));
    // Every interface, as it was.
    expect(listening).toMatch(/^listening (\[::\]|0\.0\.0\.0):\d+ -> /);
    const client = await Client.connect(Number(/:(\d+) /.exec(listening)?.[1]));
    await client.ask("kkk\n");
    await weir.stdout.next((line) => line.includes("ConnectionOpened"));
    weir.signal("SIGKILL");
  };

  // Deno looks for the modules of a link beside the link.
  test.each(["bun", "node"] as const)("is that of a link to the program, under %s", async (name) => {
    const argv = await command(name, "src/main.ts");
    const folder = mkdtempSync(join(directory, "link-"));
    const link = join(folder, "tcp-multiplexer");
    symlinkSync(argv.at(-1) ?? "", link);
    await runs([...argv.slice(0, -1), link]);
  });

  test("is that of a link to an executable", async () => {
    const link = join(directory, "tcp-multiplexer");
    symlinkSync(compile("src/main.ts", "adapters/linux/worker.ts"), link);
    await runs([link]);
    const list = cleanups.use(Weir.spawn([link, "list"]));
    expect(await list.stdout.next()).toStartWith("* echo");
    expect(await list.exit()).toBe(0);
  });
});
