/** A service and the signals of its process, which come whenever they like. */
import { expect, test } from "bun:test";
import { runtime } from "#runtime";
import { main } from "../../src/cli/main.ts";
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
