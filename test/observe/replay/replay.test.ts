/** Replaying: what the target gets, when it gets it, and what is said about its answers. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { UsageError } from "../../../src/net/errors.ts";
import type { SessionReplay } from "../../../src/observe/replay/replay.ts";
import { type Act, recorded, replayed, THINKING, text } from "./world.ts";

const TALK: readonly Act[] = [
  [0, "upstream", "HELO"],
  [1_000, "downstream", "250 hello"],
  [2_000, "upstream", "QUIT"],
  [3_000, "downstream", "221 bye"],
  [3_000, "downstream", "FIN"],
  [4_000, "upstream", "FIN"],
];

function outcome({ sent, received, expected, difference, error }: SessionReplay) {
  return [sent, received, expected, difference, error?.code];
}

describe("as fast as it can", () => {
  test("the next bytes follow the answers before them, and everything is compared", async () => {
    const { sessions, seen, took } = await replayed(recorded(TALK));
    expect(sessions.map(outcome)).toEqual([[8, 16, 16, undefined, undefined]]);
    expect(seen.map(({ bytes, ended, closed }) => [text(bytes), ended, closed])).toEqual([["HELOQUIT", true, ""]]);
    expect(took).toBeLessThan(100);
  });

  test("nothing is sent before the answer has come in length", async () => {
    const { seen } = await replayed(recorded(TALK), { timeout: 500 }, recorded([]));
    expect(text(seen[0]?.bytes ?? [])).toBe("HELO");
  });

  test("sessions run side by side where they did, and one after the other where they did", async () => {
    const session = (name: string, from: number, to: number): Act[] => [
      [from, "upstream", name],
      [to, "downstream", "y"],
      [to, "downstream", "FIN"],
      [to, "upstream", "FIN"],
    ];
    const times = [session("a", 0, 50), session("b", 10, 90), session("c", 60, 95), session("d", 99, 120)];
    const { seen, sessions } = await replayed(recorded(...times));
    expect(sessions.map(({ error, difference }) => error ?? difference)).toEqual(Array(4).fill(undefined));
    const when = Object.fromEntries(seen.map((each) => [text(each.bytes), each] as const));
    const [openedB = 0, openedC = 0, openedD = 0] = ["b", "c", "d"].map((name) => when[name]?.openedAt);
    const [closedA = 0, closedB = 0, closedC = 0] = ["a", "b", "c"].map((name) => when[name]?.endedAt);
    expect(openedB).toBeLessThan(closedA);
    expect(openedC).toBeGreaterThan(Math.min(closedA, closedB));
    expect(openedD).toBeGreaterThan(Math.max(closedA, closedB, closedC));
  });

  test("any session comes through as it was, however the network cuts it", async () => {
    const direction = fc.constantFrom("upstream" as const, "downstream" as const);
    const act = fc.tuple(fc.constant(0), direction, fc.uint8Array({ minLength: 1, maxLength: 3_000 }));
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 12 }), fc.boolean(), async (acts, clientFirst) => {
        const order = clientFirst ? (["upstream", "downstream"] as const) : (["downstream", "upstream"] as const);
        const ends = order.map((way): Act => [0, way, "FIN"]);
        const { sessions, seen } = await replayed(recorded([...acts, ...ends]));
        const all = acts.flatMap(([, way, bytes]) => (way === "upstream" ? [...bytes] : []));
        expect(seen[0]?.bytes).toEqual(all);
        expect(sessions.map(({ difference, error }) => [difference, error])).toEqual([[undefined, undefined]]);
      }),
      { numRuns: 50 },
    );
  });
});

describe("at a pace", () => {
  test.each([
    [1, 2_000],
    [10, 200],
    [0.5, 4_000],
  ])("%d times as fast, bytes go at their time", async (speed, due) => {
    const { seen, sessions } = await replayed(recorded(TALK), { speed, timeout: 10_000 });
    const [second = 0] = seen[0]?.arrivals.find(([, bytes]) => bytes > "HELO".length) ?? [];
    expect(second).toBeGreaterThanOrEqual(due);
    expect(second).toBeLessThan(due + 20);
    expect(sessions.map(outcome)).toEqual([[8, 16, 16, undefined, undefined]]);
  });

  test("sessions begin when they did, the first one at once", async () => {
    const at = (from: number): Act[] => [
      [from, "upstream", "x"],
      [from, "upstream", "FIN"],
    ];
    const { seen } = await replayed(recorded(at(5_000), at(5_300), at(6_000)), { speed: 2 });
    const begun = seen.map(({ openedAt }) => Math.round(openedAt / 50) * 50);
    expect(begun).toEqual([0, 150, 500]);
  });

  test("nobody waits for answers: a silent target gets everything", async () => {
    const { seen } = await replayed(recorded(TALK), { speed: 1, timeout: 500 }, recorded([]));
    expect(text(seen[0]?.bytes ?? [])).toBe("HELOQUIT");
  });
});

describe("an answer", () => {
  const session = (answer: string): Act[] => [
    [0, "upstream", "ask"],
    [1, "downstream", answer],
    [1, "downstream", "FIN"],
    [1, "upstream", "FIN"],
  ];

  test.each<[string, string, number | undefined]>([
    ["is the same", "abcdef", undefined],
    ["has another byte", "abcxef", 3],
    ["is shorter", "abcd", 4],
    ["is longer", "abcdefg", 6],
    ["is missing", "", 0],
  ])("that %s", async (_, answer, difference) => {
    const { sessions } = await replayed(recorded(session("abcdef")), {}, recorded(session(answer)));
    expect(sessions.map((each) => each.difference)).toEqual([difference]);
    expect(sessions[0]?.error).toBeUndefined();
  });

  test("that differs in one of many packets is found there", async () => {
    const long = Uint8Array.from({ length: 50_000 }, (_, index) => index);
    const other = long.with(43_210, 0);
    const act = (bytes: Uint8Array): Act[] => [
      [0, "downstream", bytes],
      [0, "downstream", "FIN"],
    ];
    const { sessions } = await replayed(recorded(act(long)), {}, recorded(act(other)));
    expect(sessions[0]?.difference).toBe(43_210);
  });

  test("that was recorded in pieces is compared with each of them", async () => {
    const pieces = (...words: string[]): Act[] => [
      ...words.map((word): Act => [0, "downstream", word]),
      [0, "downstream", "FIN"],
    ];
    const { sessions } = await replayed(recorded(pieces("ab", "cd", "ef")), {}, recorded(pieces("abcdeX")));
    expect(sessions[0]?.difference).toBe(5);
  });

  const PART: readonly Act[] = [
    [0, "upstream", "ask"],
    [1, "downstream", "abc"],
  ];

  test("that was recorded in part is compared in part, and may be longer", async () => {
    const { sessions } = await replayed(recorded(PART), {}, recorded(session("abcdef")));
    expect(sessions.map(outcome)).toEqual([[3, 6, 3, undefined, undefined]]);
  });

  test("is waited for before a FIN that was not recorded", async () => {
    const { seen } = await replayed(recorded(PART));
    expect((seen[0]?.endedAt ?? 0) - (seen[0]?.arrivals[0]?.[0] ?? 0)).toBeGreaterThan(THINKING);
  });

  test("may be followed by a reset, but not cut short by it", async () => {
    const after = await replayed(recorded(PART), {}, recorded([...PART, [2, "reset"]]));
    expect(after.sessions.map(outcome)).toEqual([[3, 3, 3, undefined, undefined]]);
    const before = await replayed(
      recorded(PART),
      {},
      recorded([
        [0, "upstream", "ask"],
        [0, "reset"],
      ]),
    );
    expect(before.sessions.map(outcome)).toEqual([[3, 0, 3, 0, "ECONNRESET"]]);
  });
});

describe("a session that fails", () => {
  test("is refused", async () => {
    const { sessions } = await replayed(recorded(TALK), {}, null);
    expect(sessions.map(outcome)).toEqual([[0, 0, 16, undefined, "ECONNREFUSED"]]);
  });

  test("waits no longer than it is told for a silent target", async () => {
    const { sessions, seen, took } = await replayed(recorded(TALK), { timeout: 700 }, recorded([]));
    expect(sessions.map(outcome)).toEqual([[4, 0, 16, 0, "ETIMEDOUT"]]);
    expect(took).toBeGreaterThan(699);
    expect(took).toBeLessThan(1_500);
    expect(seen[0]?.closed).toBe("ECONNRESET");
  });

  test("does not keep the others from their end", async () => {
    const recording = recorded(TALK, TALK);
    const { sessions } = await replayed(recording, {}, recorded([], TALK));
    expect(sessions.map(({ error }) => error?.code ?? "none").sort()).toEqual(["ETIMEDOUT", "none"]);
  });
});

test("a slow target gets everything, at its own pace", async () => {
  const chunk = Uint8Array.from({ length: 200_000 }, (_, index) => index * 7);
  const acts = Array.from({ length: 5 }, (): Act => [0, "upstream", chunk]);
  const { sessions, seen } = await replayed(recorded([...acts, [0, "upstream", "FIN"]]));
  expect(sessions.map(outcome)).toEqual([[1_000_000, 0, 0, undefined, undefined]]);
  expect(seen[0]?.bytes).toHaveLength(1_000_000);
});

test("a client that broke off does so again", async () => {
  const recording = recorded([
    [0, "upstream", "half a requ"],
    [5, "reset"],
  ]);
  const { sessions, seen } = await replayed(recording);
  expect(sessions.map(outcome)).toEqual([[11, 0, 0, undefined, undefined]]);
  expect(seen.map(({ bytes, closed }) => [text(bytes), closed])).toEqual([["half a requ", "ECONNRESET"]]);
});

test("a target that keeps the connection open is left after a while, which is no failure", async () => {
  const recording = recorded([[0, "upstream", "notice"]]);
  const stays = recorded([
    [0, "upstream", "notice"],
    [0, "upstream", "and more that never comes"],
  ]);
  const { sessions, seen } = await replayed(recording, {}, stays);
  expect(sessions.map(outcome)).toEqual([[6, 0, 0, undefined, undefined]]);
  expect(seen[0]?.ended).toBe(true);
});

describe("one session alone", () => {
  test("is played at once, whenever it was", async () => {
    const { seen, sessions } = await replayed(recorded(TALK, [[9_000, "upstream", "x"]]), { session: "1", speed: 1 });
    expect(sessions.map(({ session }) => session.id)).toEqual(["1"]);
    expect(seen[0]?.openedAt).toBeLessThan(20);
  });

  test("has to be in the recording", async () => {
    const wrong = replayed(recorded(TALK, TALK), { session: "7" });
    await expect(wrong).rejects.toThrow(
      new UsageError("ESESSION", 'There is no session "7" in the recording; it has 0, 1'),
    );
  });
});

test("each session is told of when it is over", async () => {
  const told: string[] = [];
  const played = ({ session }: SessionReplay) => told.push(session.id);
  const { sessions } = await replayed(recorded(TALK, TALK), { played });
  expect(told.sort()).toEqual(sessions.map(({ session }) => session.id));
});
