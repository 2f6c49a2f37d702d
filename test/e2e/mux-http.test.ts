/** `weir mux` between web servers and their clients: curl and Node's fetch, nginx and Node's server. */
import { describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Daemon } from "./daemon.ts";
import { KINDS, mux } from "./mux-rig.ts";
import { ENGINES } from "./observer-world.ts";
import { haveTool } from "./tools.ts";
import { BODY, nginx, nodeClient, nodeServer } from "./web-servers.ts";
import { run } from "./weir.ts";

const HAVE_CURL = haveTool("curl");
const HAVE_NGINX = haveTool("nginx");

async function curl(args: readonly string[], input?: string) {
  const { code, out, err } = await run(["curl", "-sS", "--max-time", "60", ...args], input);
  return { code, out: out.replaceAll("\r\n", "\n"), err };
}

/** As it came, but for what belongs to one connection or one moment; and which connections to the server there were. */
function apart(out: string): { text: string; connections: string[] } {
  const connections = [...out.matchAll(/^X-Connection: (\d+)\n/gm)].map(([, number]) => number ?? "");
  return { text: out.replace(/^(Date|X-Connection|Connection|Keep-Alive): .*\n/gm, ""), connections };
}

describe.skipIf(!HAVE_CURL || !HAVE_NGINX)("curl and nginx", () => {
  test.each(KINDS)("understand each other under %s, %s, as without weir", async (runtime, engine) => {
    await using server = await nginx();
    await using weir = await mux("http", server.ports[0], [], { runtime, engine });
    const at = (port: number | undefined, ...paths: string[]) => paths.map((path) => `http://127.0.0.1:${port}${path}`);
    const newer = join(server.directory, "www/body.txt");
    const asked: readonly (readonly [args: string[], ...paths: string[]])[] = [
      [["-i", "-w", "connected %{num_connects}\n"], "/", "/body.txt", "/nothing", "/many", "/?a=b"],
      [["-I"], "/body.txt", "/nothing"],
      [["-i", "-r", "100-199"], "/body.txt"],
      [["-i", "-r", "999999-"], "/body.txt"],
      [["-i", "-z", newer], "/body.txt"],
      [["-i", "-0"], "/body.txt"],
      [["-i", "-H", "Connection: close"], "/", "/"],
      // In chunks.
      [["-i"], "/many/"],
      [["-i", "--compressed"], "/many/"],
      [["-i", "-X", "OPTIONS"], "/"],
      [["-i", "-d", "a=b"], "/index.html"],
    ];
    const seen = new Set<string>();
    for (const [args, ...paths] of asked) {
      const direct = await curl([...args, ...at(server.ports[0], ...paths)]);
      const { out, ...rest } = await curl([...args, ...at(weir.port, ...paths)]);
      const { text, connections } = apart(out);
      expect({ ...rest, out: text }).toEqual({ ...direct, out: apart(direct.out).text });
      for (const each of connections) seen.add(each);
    }
    // Whatever the clients did to theirs.
    expect(seen.size).toBe(1);
    // Without a length: to this client such a reply ends with the connection, to weir it comes in chunks.
    const old = await curl(["-0", ...at(weir.port, "/many/")]);
    expect(old.out).toBe((await curl(["-0", ...at(server.ports[0], "/many/")])).out);
    expect((await curl(at(weir.port, "/body.txt"))).out).toBe(BODY);
  });

  test.each([...ENGINES])("uploads arrive whole, on the %s engine", async (engine) => {
    await using server = await nginx();
    await using weir = await mux("http", server.ports[0], ["--max-message", "1MiB"], { engine });
    const at = (name: string) => `http://127.0.0.1:${weir.port}/upload/${name}`;
    const [expect100, chunked] = ["Expect: 100-continue", "Transfer-Encoding: chunked"];
    const headers = [["Expect:"], [expect100], [expect100, chunked], ["Expect:", chunked]];
    for (const [n, lines] of headers.entries()) {
      const flags = ["-i", ...lines.flatMap((line) => ["-H", line]), "-T", "-", at(`${n}`)];
      const { out, err } = await curl(lines.includes(chunked) ? flags : await fromFile(server, flags), BODY);
      expect(err).toBe("");
      expect(out.includes("HTTP/1.1 100 Continue")).toBe(lines.includes(expect100));
      expect(out).toContain("HTTP/1.1 201 Created");
      expect((await curl([at(`${n}`)])).out).toBe(BODY);
      expect((await curl(["-i", "-X", "DELETE", at(`${n}`)])).out).toStartWith("HTTP/1.1 204");
    }
    const tooLarge = ["-o", "-", "-w", "%{http_code}", "-T", "-", at("large")];
    for (const header of [expect100, "Expect:"]) {
      expect((await curl(["-H", header, ...tooLarge], BODY.repeat(4))).out).toMatch(/max_message\)\n413$/);
    }
    expect((await curl(["-o", "/dev/null", "-w", "%{http_code}", at("large")])).out).toBe("404");
  });

  test.each([...ENGINES])("eight curls at once are one client to nginx, on the %s engine", async (engine) => {
    await using server = await nginx();
    await using weir = await mux("http", server.ports[0], ["--in-flight", "4"], { engine });
    expect(await inTurns(weir.port)).toBe(1);
  });

  test.each(
    ENGINES.flatMap((engine) => [
      [engine, "1"],
      [engine, "8"],
    ]) as readonly (readonly [(typeof ENGINES)[number], string])[],
  )("nginx may close every third time: nothing is lost on the %s engine, %s in flight", async (engine, inFlight) => {
    await using server = await nginx();
    await using weir = await mux("http", server.ports[1], ["--in-flight", inFlight], { engine });
    expect(await inTurns(weir.port)).toBeGreaterThanOrEqual((8 * 30) / 3);
  });

  // With "Connection: close" nginx says that it will look at nothing behind this reply (RFC 9112, 9.6), so nothing of
  // that was done, and all of it may be asked again, as often as this happens and whatever the method.
  test.each(ENGINES.flatMap((engine) => ["GET", "POST"].map((method) => [engine, method] as const)))(
    "what nginx has not looked at when it closes is asked again, on the %s engine: %s",
    async (engine, method) => {
      await using server = await nginx();
      await using weir = await mux("http", server.ports[1], ["--in-flight", "8"], { engine });
      const request = (n: number) =>
        `${method} /who?n${n} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n${n === 12 ? "Connection: close\r\n" : ""}\r\n`;
      const numbers = Array.from({ length: 12 }, (_, n) => n + 1);
      const { promise, resolve } = Promise.withResolvers<void>();
      let text = "";
      const data = (_: Bun.Socket, bytes: Buffer) => {
        text += bytes.toString("latin1");
      };
      const client = await Bun.connect({
        hostname: "127.0.0.1",
        port: weir.port,
        socket: { data, close: () => resolve() },
      });
      client.write(numbers.map(request).join(""));
      await promise;
      const all = (pattern: RegExp) => [...text.matchAll(pattern)].map(([found]) => found);
      expect(all(/^HTTP\/1\.1 \d+/gm)).toEqual(numbers.map(() => "HTTP/1.1 200"));
      expect(all(/^n\d+/gm)).toEqual(numbers.map((n) => `n${n}`));
    },
  );

  test.each([...ENGINES])("what cannot share a connection is refused, on the %s engine", async (engine) => {
    await using server = await nginx();
    await using weir = await mux("http", server.ports[0], [], { engine });
    const at = `http://127.0.0.1:${weir.port}`;
    const status = async (...args: string[]) =>
      (await curl(["-o", "/dev/null", "-w", "%{http_code} %{http_connect}", ...args])).out;
    const upgrade = ["-H", "Connection: Upgrade", "-H", "Upgrade: websocket"];
    expect(await status(...upgrade, at)).toBe("501 000");
    expect(await status("--http2", at)).toBe("501 000");
    expect(await status("--proxytunnel", "-x", at, "http://example.com/")).toBe("000 501");
    expect(await status("-X", "TRACE", at)).toBe("501 000");
    expect(await status("-X", "GET", "-d", "body", at)).toBe("400 000");
    expect(await status("-H", "Content-Length: 3", "-H", "Transfer-Encoding: chunked", "-d", "abc", at)).toBe(
      "400 000",
    );
    expect(await status("-H", "Host: a, b", at)).toBe("400 000");
    const { out } = await curl(["-i", ...upgrade, at]);
    expect(out).toContain("weir does not pass this request on: an Upgrade");
    expect((await curl([`${at}/body.txt`])).out).toBe(BODY);
  });
});

/** curl takes a length from a file alone. */
async function fromFile(server: Daemon, flags: readonly string[]): Promise<string[]> {
  const path = join(server.directory, "body");
  await writeFile(path, BODY);
  return flags.map((flag) => (flag === "-" ? path : flag));
}

/** Eight curls, each with 30 requests: how many connections the server has seen. */
async function inTurns(port: number): Promise<number> {
  const who = Array.from({ length: 8 }, (_, n) => `curl${n}`);
  const all = await Promise.all(who.map((name) => curl([`http://127.0.0.1:${port}/who?${name}-[1-30]`])));
  const lines = all.map(({ out }) => out.split("\n").slice(0, -1));
  const told = lines.map((each) => each.map((line) => line.split(" ")[0]));
  expect(told).toEqual(who.map((name) => Array.from({ length: 30 }, (_, n) => `${name}-${n + 1}`)));
  return new Set(lines.flat().map((line) => line.split(" ")[1])).size;
}

describe.skipIf(!haveTool("node"))("Node's server", () => {
  test.skipIf(!HAVE_CURL).each(KINDS)("answers curl under %s, %s, as without weir", async (runtime, engine) => {
    await using server = await nodeServer();
    await using weir = await mux("http", server.port, [], { runtime, engine });
    const asked = [
      ["/none"],
      ["/same", "-I"],
      ["/same"],
      ["/early"],
      ["/trailers"],
      ["/trailers", "-0"],
      ["/length", "-I"],
      ["/length", "--data-binary", "@-"],
      ["/length", "--data-binary", "@-", "-H", "Expect: 100-continue"],
      ["/length", "--data-binary", "@-", "-H", "Transfer-Encoding: chunked"],
    ] as const;
    for (const [path, ...args] of asked) {
      const [direct, through] = await Promise.all(
        [server.port, weir.port].map((port) => curl(["-i", `http://127.0.0.1:${port}${path}`, ...args], BODY)),
      );
      expect({ ...through, out: apart(through?.out ?? "").text }).toEqual({
        ...direct,
        out: apart(direct?.out ?? "").text,
      });
    }
    const { out } = await curl(["-i", `http://127.0.0.1:${weir.port}/trailers`]);
    expect(out).toContain("part 49\n");
    expect(out).toContain("X-Sum: 1225\n");
    const back = await curl([`http://127.0.0.1:${weir.port}/length`, "-d", "@-"], BODY);
    expect(back.out === `POST ${BODY.length}\n${BODY}`).toBe(true);
  });

  test.each(KINDS)("answers who asked, 32 at once under %s, %s", async (runtime, engine) => {
    await using server = await nodeServer();
    await using weir = await mux("http", server.port, ["--connections", "2", "--in-flight", "8"], { runtime, engine });
    expect(await nodeClient(weir.port)).toEqual({ right: 500, wrong: [] });
    // One of them is that of the question.
    const connections = await (await fetch(`http://127.0.0.1:${server.port}/connections`)).text();
    expect(Number(connections)).toBeLessThanOrEqual(3);
  });
});
