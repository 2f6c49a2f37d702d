/**
 * Runs the contract suite against the native adapter, on a loop that shares its thread with the runtime's own.
 *
 *   bun test/contract/run-linux.ts [WORDS IN THE NAME | --list]
 */
import { lookup } from "node:dns/promises";
import { env, exit } from "node:process";
import { setImmediate } from "node:timers";
import { ffi } from "#ffi";
import { runtime as host } from "#runtime";
import { Core } from "../../adapters/linux/core.ts";
import { Resolver } from "../../adapters/linux/resolver.ts";
import { linuxRuntime } from "../../adapters/linux/runtime.ts";
import { System } from "../../adapters/linux/system.ts";
import { runSuite } from "./suite.ts";

const descriptors = host.descriptors ?? 1_024;
const core = new Core(new System(ffi, env["WEIR_CHECK"] === "1"), descriptors);
const resolver = new Resolver(
  async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
  () => core.loop.now,
);
const bun = (globalThis as { Bun?: { gc(force: boolean): void } }).Bun;
const collect = env["WEIR_CHECK"] === "1" ? () => bun?.gc(true) : () => {};
let rests = 0;
/** The runtime's turn. Under WEIR_CHECK garbage is collected every so often: nothing may live by luck. */
const rest = () =>
  new Promise<void>((resolve) => {
    if (++rests % 250 === 0) collect();
    setImmediate(resolve);
  });
core.loop.run(rest, true).catch((error) => {
  console.error("the loop broke", error);
  exit(1);
});
await runSuite(linuxRuntime(core, resolver, host, descriptors));
core.system.arena.verify();
exit(0);
