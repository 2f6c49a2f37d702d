/**
 * Sessions with observers of every kind that stall, go, come late and cannot be reached, at any moment, in virtual time.
 * Whatever they do, client and target notice nothing (under `block`: nothing but time), and what observers get is right.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Direction } from "../../src/filter/step.ts";
import { parseAddress } from "../../src/net/address.ts";
import { type Frame, FrameReader } from "../../src/observe/frame-reader.ts";
import { COPIES, FORMATS, type ObserverConfig, WHEN_FULL } from "../../src/observe/observer-config.ts";
import { pattern } from "../contract/probe.ts";
import { same } from "./bytes.ts";
import type { Line, Watcher } from "./world.ts";
import { observer, World } from "./world.ts";

const HOSTS = ["10.0.0.1:6000", "10.0.0.2:6000", "10.0.0.3:6000"];
/** Bytes of a read. */
const LARGEST = 15_000;
/** The lines that tell of the end, which a full buffer takes all the same. */
const LAST_LINES = 2_048;

interface Storm {
  readonly seed: number;
  /** Observers go, and cannot be reached. */
  readonly rough: boolean;
  readonly configs: readonly Partial<ObserverConfig>[];
}

const settings = (whenFull: readonly (typeof WHEN_FULL)[number][]) =>
  fc.record({
    whenFull: fc.constantFrom(...whenFull),
    copies: fc.constantFrom(...COPIES),
    format: fc.constantFrom(...FORMATS),
    buffer: fc.integer({ min: 1_024, max: 100_000 }),
  });

const storm = (rough: boolean, whenFull: readonly (typeof WHEN_FULL)[number][] = WHEN_FULL) =>
  fc.record({
    seed: fc.integer({ min: 1, max: 1e9 }),
    rough: fc.constant(rough),
    configs: fc.array(settings(whenFull), { minLength: 1, maxLength: 3 }),
  });

test("whatever observers do, every byte passes and nothing is left of them", async () => {
  await fc.assert(
    fc.asyncProperty(storm(true), async (plan) => {
      const { world, configs, watchers } = await weather(plan);
      for (const [index, config] of configs.entries()) {
        if (config.format === "framed") for (const each of watchers(index)) checkFrames(each, config.copies);
      }
      expect(world.left).toEqual([]);
    }),
    { numRuns: 100 },
  );
});

test("block: an observer gets exactly the stream, however it stalls", async () => {
  await fc.assert(
    fc.asyncProperty(storm(false, ["block"]), async (plan) => {
      const { session, configs, watchers } = await weather(plan);
      for (const [index, { format, copies }] of configs.entries()) {
        const [watcher, ...others] = watchers(index);
        expect(others).toEqual([]);
        const both = session.upstream.sent + session.downstream.sent;
        const expected = copies === "both" ? both : session[copies].sent;
        if (!watcher) throw new Error("no observer");
        expect(watcher.ended).toBe(true);
        if (format === "framed") {
          expect(checkFrames(watcher, copies)).toEqual({ bytes: expected, gaps: 0 });
        } else {
          expect(watcher.length).toBe(expected);
          if (copies !== "both") expect(same(watcher.bytes, pattern(0, expected))).toBe(true);
        }
      }
    }),
    { numRuns: 40 },
  );
});

test("drop: what an observer gets and the gaps it is told of are exactly the stream", async () => {
  await fc.assert(
    fc.asyncProperty(storm(false, ["drop"]), async (plan) => {
      const framed = { ...plan, configs: plan.configs.map((config) => ({ ...config, format: "framed" as const })) };
      const { stage, session, configs, watchers } = await weather(framed);
      for (const [index, { copies }] of configs.entries()) {
        const [watcher] = watchers(index);
        if (!watcher) throw new Error("no observer");
        const { bytes, lost } = stage.count(index);
        expect(checkFrames(watcher, copies)).toEqual({ bytes, gaps: lost });
        const both = session.upstream.sent + session.downstream.sent;
        expect(bytes + lost).toBe(copies === "both" ? both : session[copies].sent);
      }
    }),
    { numRuns: 40 },
  );
});

/** Plays a storm until a calm has followed it, and the session has ended. */
async function weather({ seed, rough, configs: plans }: Storm) {
  const world = new World(seed, { sendBuffer: 16_384, receiveBuffer: 16_384, latency: 0.2 });
  const { random } = world;
  const byHost = new Map<string, Watcher[]>(HOSTS.map((host) => [host, []]));
  let stormy = true;
  const refused = new Set<string>();
  world.network.fate = (to) => (to.kind === "tcp" && refused.has(to.host) ? "ECONNREFUSED" : "arrives");
  for (const host of HOSTS) {
    await world.listen((watcher) => {
      byHost.get(host)?.push(watcher);
      if (stormy && random.chance(0.5)) watcher.socket.pause();
    }, host);
  }
  const configs = plans.map((plan, index) => observer(plan, HOSTS[index]));
  const stage = world.observe(...configs);
  const session = stage.session();
  const lines = [session.upstream, session.downstream];
  const held = () => {
    for (const [index, { copies, buffer, whenFull }] of configs.entries()) {
      const feed = session.observers.feeds(copies === "downstream" ? "downstream" : "upstream")[
        placeOf(configs, index)
      ];
      // Under block each direction may bring one read more.
      const most = whenFull === "block" ? buffer + 2 * LARGEST : buffer;
      expect(feed?.size ?? 0).toBeLessThanOrEqual(most + LAST_LINES);
      const { bytes, lost, waiting } = stage.count(index);
      const offered = copies === "both" ? lines.reduce((sum, { sent }) => sum + sent, 0) : session[copies].sent;
      expect(bytes + lost + waiting).toBe(offered);
    }
  };
  for (let step = 0; step < 30; step++) {
    act(random.between(0, rough ? 7 : 4));
    held();
    await world.run(random.size(0, 300));
    held();
  }
  stormy = false;
  refused.clear();
  for (const watchers of byHost.values()) for (const { socket, closed } of watchers) if (!closed) socket.resume();
  for (const line of lines) line.drainSink();
  const over = () => lines.every(({ waiting }) => waiting === 0);
  await world.run(300_000, over);
  expect(over()).toBe(true);
  for (const line of lines) {
    expect(line).toMatchObject({ arrived: line.sent });
    if (random.chance(0.8)) line.finish();
  }
  session.observers.end("client_closed");
  held();
  await world.run(70_000, () => world.left.length === 0);
  held();
  return { world, stage, session, configs, watchers: (index: number) => byHost.get(HOSTS[index] ?? "") ?? [] };

  function act(what: number): void {
    const line: Line = random.pick(lines);
    const watchers = byHost.get(random.pick(HOSTS)) ?? [];
    const watcher = watchers.at(-1);
    if (what <= 1) line.send(...Array.from({ length: random.between(1, 6) }, () => random.between(1, LARGEST)));
    else if (what === 2) line.room = false;
    else if (what === 3) line.drainSink();
    else if (what === 4 && watcher && !watcher.closed) pauseOrResume(watcher);
    else if (what === 5) watcher?.socket.abort();
    else if (what === 6) toggle(refused, hostOf(random.pick(HOSTS)));
    else if (what === 7 && watcher && !watcher.closed) watcher.socket.end();
  }

  function pauseOrResume({ socket }: Watcher): void {
    if (random.chance(0.6)) socket.pause();
    else socket.resume();
  }
}

/** Holds frames against the pattern and against each other; answers how many bytes they are, and how many they tell of. */
function checkFrames(watcher: Watcher, copies: ObserverConfig["copies"]): { bytes: number; gaps: number } {
  const frames: Frame[] = [];
  const reader = new FrameReader((frame) => frames.push(frame));
  reader.push(watcher.bytes);
  if (watcher.ended) expect(reader.pending).toBe(0);
  const next: Partial<Record<Direction, number>> = {};
  let [bytes, gaps] = [0, 0];
  for (const [index, frame] of frames.entries()) {
    if (frame.event === "close") {
      expect(index).toBe(frames.length - 1);
      continue;
    }
    const { direction, offset, gap } = frame;
    expect(copies === "both" || copies === direction).toBe(true);
    const expected = next[direction];
    // A connection may begin anywhere.
    if (expected !== undefined) expect(offset).toBe(expected + gap);
    expect(same(frame.bytes, pattern(offset, frame.length))).toBe(true);
    next[direction] = offset + frame.length;
    bytes += frame.length;
    gaps += gap;
  }
  return { bytes, gaps };
}

/** Where the feed of an observer is among those of its direction. */
function placeOf(configs: readonly ObserverConfig[], index: number): number {
  const direction = configs[index]?.copies === "downstream" ? "downstream" : "upstream";
  return configs.slice(0, index).filter(({ copies }) => copies === "both" || copies === direction).length;
}

function toggle(set: Set<string>, item: string): void {
  if (!set.delete(item)) set.add(item);
}

function hostOf(address: string): string {
  const parsed = parseAddress(address, "target");
  return parsed.kind === "tcp" ? parsed.host : "";
}
