/**
 * Observers that are killed, that stop and that come late, in every order: client and target get every byte, and what
 * is counted adds up.
 */
import { afterAll, afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtime } from "#runtime";
import { Kit } from "../contract/kit.ts";
import { Netcat } from "./netcat.ts";
import {
  ENGINES,
  finish,
  linux,
  MEGABYTE,
  ownHost,
  type ProxyView,
  pingPong,
  type Session,
  Stage,
} from "./observer-world.ts";
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

/** The observers of a scene, as programs that may be killed and stopped. */
class Cast {
  readonly #scene: Scene;
  readonly #members = new Map<Accident, Netcat>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  async come(accident: Accident): Promise<void> {
    this.#members.set(accident, cleanups.use(await Netcat.listen(host, portOf(this.#scene, accident))));
  }

  get(accident: Accident): Netcat {
    const netcat = this.#members.get(accident);
    if (!netcat) throw new Error(`nobody is to be ${accident}`);
    return netcat;
  }

  async meet(accident: Accident): Promise<void> {
    if (accident === "late") return await this.come("late");
    this.get(accident).signal(accident === "killed" ? "SIGKILL" : "SIGSTOP");
    if (accident === "killed") await this.get("killed").exit();
  }

  /** Whoever can still take something does. */
  async recover(): Promise<void> {
    this.get("stopped").signal("SIGCONT");
    await this.come("killed");
  }
}

/** Bytes that the client sends. */
const AMOUNT = { bulk: 4 * MEGABYTE, "ping-pong": 300_000 } as const;

async function talk(kind: Scene["kind"], session: Session): Promise<void> {
  if (kind === "ping-pong") return await pingPong(session, 200, 3_000);
  const { client, target } = session;
  await Promise.all([client.send(AMOUNT.bulk), target.send(MEGABYTE)]);
}

/** The accidents happen when the session has come a quarter of its way, a half and three quarters, or stands still. */
async function play(scene: Scene, cast: Cast, session: Session, view: () => Promise<ProxyView>): Promise<void> {
  const stands = async () =>
    (await view()).observers.some(({ whenFull, bytesWaiting }) => whenFull === "block" && bytesWaiting >= BUFFER);
  const talking = talk(scene.kind, session);
  for (const [index, accident] of scene.order.entries()) {
    const goal = (AMOUNT[scene.kind] * (index + 1)) / 4;
    while (session.target.received < goal && !(await stands()));
    await cast.meet(accident);
  }
  if ((await view()).observers[0]?.whenFull === "block") await cast.recover();
  await talking;
  await finish(session);
}

/** The value of a family for an observer, as `/metrics` has it. */
function figure(page: string, family: string, proxy: string, observer: string): number {
  const line = `weir_observer_${family}{proxy="${proxy}",observer="${observer}"} `;
  return Number(
    page
      .split("\n")
      .find((each) => each.startsWith(line))
      ?.slice(line.length),
  );
}

const CASES = ENGINES.flatMap((engine) => POLICIES.map((policy) => ({ engine, policy })));

test.skipIf(!linux || !haveTool("nc")).each(CASES)("$policy, on the $engine engine", async ({ engine, policy }) => {
  await using stage = await Stage.run(kit, (target) => ["run", file(engine, policy, target)]);
  const plays = SCENES.map(async (scene, index) => {
    const cast = new Cast(scene);
    await Promise.all([cast.come("killed"), cast.come("stopped")]);
    return { scene, cast, view: () => stage.proxy(index) };
  });
  const sessions: Session[] = [];
  for (const index of SCENES.keys()) {
    await plays[index];
    sessions.push(await stage.session(index));
  }
  const casts = await Promise.all(
    plays.map(async (each, index) => {
      const { scene, cast, view } = await each;
      const connected = async () => (await view()).observers.filter(({ connections }) => connections === 1).length;
      while ((await connected()) < 2);
      await play(scene, cast, sessions[index] as Session, view);
      return cast;
    }),
  );
  if (policy === "block") {
    const whole = casts.flatMap((cast) => [cast.get("stopped"), cast.get("late")]);
    await Promise.all(whole.map((each) => each.exit()));
    expect(whole.every(({ exact }) => exact)).toBe(true);
    const sent = sessions.flatMap(({ client }) => [client.sent, client.sent]);
    expect(whole.map(({ received }) => received)).toEqual(sent);
  }
  const page = await stage.page();
  for (const [index, { name, observers, bytes_upstream: upstream }] of (await stage.proxies()).entries()) {
    expect(upstream).toBe(sessions[index]?.client.sent ?? 0);
    for (const { address, bytes, bytesLost, bytesWaiting, gaps, disconnects } of observers) {
      const families = ["bytes_total", "lost_bytes_total", "waiting_bytes"];
      const figures = families.map((family) => figure(page, family, name, address));
      expect(figures.reduce((sum, each) => sum + each)).toBe(upstream);
      expect(bytes + bytesLost + bytesWaiting).toBe(upstream);
      if (bytesLost > 0) expect(gaps).toBeGreaterThan(0);
      if (policy === "block") expect([bytesLost, disconnects]).toEqual([0, 0]);
      else expect(disconnects).toBe(policy === "disconnect" && bytesLost > 0 ? 1 : 0);
    }
    // Of so much the one that came late has missed something.
    const late = observers[ACCIDENTS.indexOf("late")];
    if (policy !== "block" && SCENES[index]?.kind === "bulk") expect(late?.bytesLost).toBeGreaterThan(0);
  }
});
