/** What peers do: conversations that end well, and ways in which they do not. */
import type { Script } from "./endpoint.ts";
import type { Random } from "./random.ts";

/**
 * `gentle`: everybody means well, so every byte has to arrive and every connection to end well. `patient`: peers
 * break connections, but weir has all the time in the world, so what it has read has to arrive. `rough`: anything.
 */
export type Kind = "gentle" | "patient" | "rough";

type Part = Pick<Script, "echoes" | "starts" | "finish">;
export interface Dialogue {
  readonly client: Part;
  readonly target: Part;
}

const talk = (starts: Script["starts"], finish: Script["finish"], echoes = false): Part => ({ starts, finish, echoes });

/** Conversations that come to an end when nobody breaks them. */
export const DIALOGUES: readonly Dialogue[] = [
  { client: talk("at once", "end"), target: talk("at once", "end") },
  { client: talk("at once", "end"), target: talk("at once", "end", true) },
  { client: talk("at once", "end"), target: talk("after the end", "end") },
  { client: talk("at once", "end after the peer"), target: talk("after the first byte", "end") },
  { client: talk("after the first byte", "end"), target: talk("at once", "end") },
  { client: talk("after the end", "end"), target: talk("at once", "end") },
  { client: talk("at once", "end after the peer"), target: talk("at once", "end") },
];

/**
 * One side of a connection: its part in the dialogue, or anything at all. Streams are about `scale` bytes long.
 */
export function makeScript(random: Random, kind: Kind, scale: number, id: number, part?: Part): Script {
  const rough = kind === "rough";
  const send = Math.max(4, random.size(4, 2 * scale));
  const own: Part = {
    echoes: random.chance(0.2),
    starts: random.pick(["at once", "at once", "after the first byte", "after the end"]),
    finish: random.pick(["end", "end", "end after the peer", "reset", "close", "nothing"]),
  };
  const accidents: Script["accident"][] = rough
    ? ["none", "none", "reset", "close", "sever"]
    : ["none", "none", "reset"];
  return {
    id,
    send,
    ...(part ?? own),
    write: random.size(Math.max(1, send >> 5), send),
    pace: random.pick([0, 0, 1, 20]),
    stallEvery: random.chance(0.5) ? Number.POSITIVE_INFINITY : random.size(Math.max(1, scale >> 4), scale),
    stallFor: random.pick([1, 100, rough ? 3_000 : 500]),
    readsUpTo: rough && random.chance(0.1) ? random.size(1, scale) : Number.POSITIVE_INFINITY,
    accident: kind === "gentle" ? "none" : random.pick(accidents),
    accidentAt: random.size(0, random.pick([5, 100, 5_000])),
  };
}
