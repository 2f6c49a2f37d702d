/** Filters in a configuration file, and scripts beside it, on every runtime and engine that has them. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtime } from "#runtime";
import { formatAddress, parseAddress } from "../../src/net/address.ts";
import { EchoServer } from "../../src/proxy/echo.ts";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import type { RuntimeName } from "../contract/runtimes.ts";
import { Weir } from "./weir.ts";

const directory = mkdtempSync(join(tmpdir(), "weir-filters-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;

async function world(engine: string, filters: string, name: RuntimeName = "bun") {
  const kit = new Kit(runtime);
  const echo = await EchoServer.open(runtime, LOOPBACK);
  const path = join(directory, `weir-${++files}.toml`);
  const write = (text: string) =>
    writeFileSync(
      path,
      `[engine]\nmode = "${engine}"\n[[proxy]]\nname = "a"\nlisten = "127.0.0.1:0"\ntarget = "${formatAddress(echo.address)}"\n${text}`,
    );
  write(filters);
  const weir = await Weir.start(["run", path, "--metrics", "127.0.0.1:0", "--log", "access"], name);
  const to = parseAddress(`127.0.0.1:${await weir.port()}`, "target");
  return {
    weir,
    write,
    async client() {
      const probe = new Probe(await kit.connect(to));
      probe.raw = true;
      return probe;
    },
    /** What comes back for `text`, of this length. */
    async say(text: string, length = text.length): Promise<string> {
      const client = await this.client();
      client.writeText(text);
      await client.until(() => client.received >= length || client.closed, "the answer");
      client.finish();
      await client.untilClose();
      return new TextDecoder().decode(client.bytes);
    },
    async [Symbol.asyncDispose]() {
      await kit.clean();
      await weir[Symbol.asyncDispose]();
      await echo.stop(0, Promise.resolve());
    },
  };
}

function script(text: string, extension = "ts"): string {
  const name = `filter-${++files}.${extension}`;
  writeFileSync(join(directory, name), text);
  return name;
}

const SHOUT = `export default () => ({
  downstream: (chunk, out) => out.write(new TextDecoder().decode(chunk).toUpperCase()),
});`;

describe.each(["portable", "native"])("on the %s engine", (engine) => {
  test("what is found is replaced, and what is rejected ends its session alone", async () => {
    await using it = await world(
      engine,
      `[[proxy.filter]]\ntype = "replace"\ndirection = "downstream"\nfind = "internal"\nwith = "public"
       [[proxy.filter]]\ntype = "reject"\ndirection = "upstream"\nfind = "secret"`,
    );
    expect(await it.say("an internal page", 14)).toBe("an public page");
    const guilty = await it.client();
    const other = await it.client();
    guilty.writeText("a sec");
    guilty.writeText("ret");
    expect(await guilty.untilClose()).toBe("ECONNRESET");
    other.writeText("hello");
    await other.until(() => other.received === 5, "the echo");
    expect(await it.weir.stdout.next((line) => line.includes("rejected"))).toContain('reject find "secret"');
  });

  test("a script beside the file changes bytes, and is loaded again when it has changed", async () => {
    const name = script(SHOUT);
    await using it = await world(engine, `[[proxy.filter]]\ntype = "script"\npath = "${name}"`);
    expect(await it.say("hello")).toBe("HELLO");
    writeFileSync(join(directory, name), SHOUT.replace("toUpperCase()", 'replaceAll("l", "L")'));
    it.write(`retries = 1\n[[proxy.filter]]\ntype = "script"\npath = "${name}"`);
    it.weir.signal("SIGHUP");
    await it.weir.stdout.next((line) => line === "weir: reloaded: a changed");
    expect(await it.say("hello")).toBe("heLLo");
  });
});

test.each(["bun", "deno", "node"] as const)(
  "a script that throws ends its session, and only that, under %s",
  async (name) => {
    const path = script(
      `export default ({ options }) => ({
    upstream(chunk, out) {
      if (new TextDecoder().decode(chunk).includes(options.word)) throw new Error("not that word");
      out.write(chunk);
    },
  });`,
      // Node 20 knows no TypeScript.
      name === "node" ? "mjs" : "ts",
    );
    const filter = `[[proxy.filter]]\ntype = "script"\npath = "${path}"\noptions = { word = "please" }`;
    await using it = await world("auto", filter, name);
    const other = await it.client();
    const guilty = await it.client();
    guilty.writeText("yes, please");
    expect(await guilty.untilClose()).toBe("ECONNRESET");
    other.writeText("hello");
    await other.until(() => other.received === 5, "the echo");
    expect(await it.weir.stdout.next((line) => line.includes("filter_failed"))).toContain("Error: not that word");
  },
);

test.each([
  ["nowhere.ts", "", "it cannot be loaded"],
  [undefined, "export const filter = 1;", "its default export is no function"],
  [undefined, "export default (", "it cannot be loaded"],
])("a script that cannot be used is an error at the start: %p %p", async (name, text, words) => {
  const path = name ?? script(text);
  const file = join(directory, `weir-${++files}.toml`);
  writeFileSync(
    file,
    `[[proxy]]\nlisten = "127.0.0.1:0"\ntarget = "127.0.0.1:9"\n[[proxy.filter]]\ntype = "script"\npath = "${path}"`,
  );
  const { code, err } = await Weir.run("run", file, "--metrics", "off");
  expect(code).toBe(2);
  expect(err).toContain(words);
  expect(err).toContain(path);
});
