/**
 * Observers that are killed, that stop and that come late, in every order: client and target get every byte, and what
 * is counted adds up.
 */
import { afterAll, afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtime } from "#runtime";
import type { ObserverView } from "../../src/observe/observer-counters.ts";
import { Kit } from "../contract/kit.ts";
import { Netcat } from "./netcat.ts";
import { ENGINES, finish, linux, MEGABYTE, ownHost, pingPong, type Session, Stage } from "./observer-world.ts";
import { haveTool } from "./tools.ts";

const directory = mkdtempSync(join(tmpdir(), "weir-failing-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let kit: Kit;
let host = "";
let cleanups: AsyncDisposableStack;
beforeEach(() => {
  kit = new Kit(runtime);
  host = ownHost();
  cleanups = new AsyncDisposableStack();
});
afterEach(async () => {
  await kit.clean();
  await cleanups.disposeAsync();
});

const ACCIDENTS = ["killed", "stopped", "late"] as const;
type Accident = (typeof ACCIDENTS)[number];
const ORDERS: readonly (readonly Accident[])[] = ACCIDENTS.flatMap((first) =>
  ACCIDENTS.filter((each) => each !== first).map((second) => {
    const third = ACCIDENTS.filter((each) => each !== first && each !== second);
    return [first, second, ...third];
  }),
);
const POLICIES = ["drop", "disconnect", "block"] as const;
const KINDS = ["bulk", "ping-pong"] as const;

/** Bytes that may wait. */
const BUFFER = 65_536;

/** A proxy with one session, and an observer for each accident. */
interface Scene {
  readonly order: readonly Accident[];
  readonly kind: (typeof KINDS)[number];
  /** The port of the observer that is killed; the others follow. */
  readonly port: number;
}

const SCENES: readonly Scene[] = ORDERS.flatMap((order, index) =>
  KINDS.map((kind, nth) => ({ order, kind, port: 6_000 + (index * KINDS.length + nth) * ACCIDENTS.length })),
);

function portOf({ port }: Scene, accident: Accident): number {
  return port + ACCIDENTS.indexOf(accident);
}

/** A file with a proxy for each scene. */
function file(engine: string, policy: string, target: string): string {
  const tables = SCENES.map((scene) => {
    const observers = ACCIDENTS.map(
      (accident) =>
        `[[proxy.observer]]\naddress = "${host}:${portOf(scene, accident)}"\nbuffer = ${BUFFER}\nwhen_full = "${policy}"\n`,
    );
    const name = `${scene.order.join("-")}-${scene.kind}`;
    return `[[proxy]]\nname = "${name}"\nlisten = "127.0.0.1:0"\ntarget = "${target}"\n${observers.join("")}`;
  });
  const path = join(directory, `${host}.toml`);
  writeFileSync(path, `[engine]\nmode = "${engine}"\n${tables.join("")}`);
  return path;
}

/** Lets the accidents happen, each when the session has come so far or stands still, and then ends them. */
async function play(scene: Scene, stage: Stage, session: Session, views: () => Promise<readonly ObserverView[]>) {
  const netcats = new Map<Accident, Netcat>();
  const come = async (accident: Accident) => {
    netcats.set(accident, cleanups.use(await Netcat.listen(host, portOf(scene, accident))));
  };
  void stage;
  const accidents = {
    killed: async () => netcats.get("killed")?.signal("SIGKILL"),
    stopped: async () => netcats.get("stopped")?.signal("SIGSTOP"),
    late: () => come("late"),
  };
  void accidents;
  void come;
  void views;
  void session;
}
void play;
void SCENES;
