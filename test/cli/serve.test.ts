/** A service and the signals of its process, which come whenever they like. */
import { expect, test } from "bun:test";
import { runtime } from "#runtime";
import { openThreads } from "../../adapters/linux/native.ts";
import { main } from "../../src/cli/main.ts";
import { Kit } from "../contract/kit.ts";
import { fakeHost } from "./fake-host.ts";

const TEXT = '[engine]\nmode = "portable"\n[[proxy]]\nlisten = "127.0.0.1:0"\ntarget = "127.0.0.1:9"\n';

test("a SIGHUP while the configuration is read for the first time is not lost, nor does it end the program", async () => {
  const args = ["run", "weir.toml", "--metrics", "off"];
  const out: string[] = [];
  let hangup: (() => void) | undefined;
  let stop: () => void = () => {};
  let reads = 0;
  const host = {
    ...fakeHost({}, args, out),
    async readFile() {
      // The signal would have ended the process without a handler.
      expect(hangup).toBeDefined();
      if (++reads === 1) hangup?.();
      return TEXT;
    },
    out(line: string) {
      out.push(line);
      if (line.startsWith("weir: reloaded")) stop();
    },
    onReload(run: () => void) {
      hangup = run;
      return () => {
        hangup = undefined;
      };
    },
    onSignal(run: (signal: "SIGTERM") => void) {
      stop = () => run("SIGTERM");
      return () => {};
    },
  };
  const threads = () => {
    throw new Error("the portable engine needs no threads");
  };
  expect(await main(runtime, threads, host)).toBe(0);
  expect(reads).toBe(2);
  expect(out).toContain("weir: reloaded: nothing has changed");
  expect(hangup).toBeUndefined();
});

const linux = test.skipIf(process.platform !== "linux");
/** Threads of which none can load what it runs. */
const broken = () => openThreads(2, new URL("no-such-entry.ts", import.meta.url));

linux("threads that do not start when it listens already: auto goes on without them, on the same port", async () => {
  const out: string[] = [];
  const [text, told] = [TEXT.replace("portable", "auto"), Promise.withResolvers<void>()];
  let stop: () => void = () => {};
  const host = {
    ...fakeHost({}, ["run", "weir.toml", "--metrics", "off"], out),
    readFile: async () => text,
    out(line: string) {
      out.push(line);
      if (line.startsWith("engine ")) told.resolve();
    },
    onSignal(run: (signal: "SIGTERM") => void) {
      stop = () => run("SIGTERM");
      return () => {};
    },
  };
  const code = main(runtime, broken, host);
  await told.promise;
  expect(out.find((line) => line.startsWith("engine "))).toMatch(/^engine portable: .*no-such-entry/);
  const port = Number(/^listening 127\.0\.0\.1:(\d+)/.exec(out[0] ?? "")?.[1]);
  const kit = new Kit(runtime);
  await kit.connect({ kind: "tcp", host: "127.0.0.1", port });
  await kit.clean();
  stop();
  expect(await code).toBe(0);
});

linux("threads that do not start: native ends with 1 and says why", async () => {
  const [out, err]: [string[], string[]] = [[], []];
  const text = TEXT.replace("portable", "native");
  const host = {
    ...fakeHost({}, ["run", "weir.toml", "--metrics", "off"], out),
    readFile: async () => text,
    err: (line: string) => void err.push(line),
  };
  expect(await main(runtime, broken, host)).toBe(1);
  expect(err).toHaveLength(1);
  expect(err[0]).toMatch(/^weir: the native engine cannot run here: .*no-such-entry.*; use --engine portable$/);
});
