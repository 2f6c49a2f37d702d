/** Storms in CI: the corpus, and as many of each kind as there is time for. */
import { expect, test } from "bun:test";
import { SEED } from "../seed.ts";
import { bridgeStorm } from "./bridges/storm.ts";
import { CORPUS } from "./corpus.ts";
import { datagramStorm } from "./datagrams/storm.ts";
import { hunt, type Storm } from "./hunt.ts";
import { MUTANTS } from "./mutants.ts";
import { muxStorm } from "./mux/storm.ts";
import { storm } from "./storm.ts";

const KINDS = [
  { kind: storm, count: 2_300, what: "storms" },
  { kind: muxStorm, count: 1_300, what: "storms over shared connections" },
  { kind: datagramStorm, count: 1_300, what: "storms of datagrams" },
  { kind: bridgeStorm, count: 1_300, what: "storms over bridges" },
];

for (const { seed, was } of CORPUS) {
  test(`seed ${seed}: ${was}`, async () => expect((await storm(seed)).violations).toEqual([]));
}

for (const { kind, count, what } of KINDS) {
  test(`${count} ${what}`, () => nothingIn(kind, SEED, count), 300_000);
}

test("the same seed does the same again", async () => {
  const traces = [0, 1].map(async () => {
    const lines: string[] = [];
    await storm(4_711, (line) => lines.push(line.replaceAll(/"id":\d+/g, "")));
    return lines;
  });
  const [first, second] = await Promise.all(traces);
  expect(first?.length).toBeGreaterThan(10);
  expect(second).toEqual(first as string[]);
});

test("every mutant finds its place in the source", async () => {
  const lost: string[] = [];
  for (const { file, find } of MUTANTS) {
    const source = await Bun.file(new URL(`../../${file}`, import.meta.url)).text();
    if (source.split(find).length !== 2) lost.push(`${file}: ${find}`);
  }
  expect(lost).toEqual([]);
});

async function nothingIn(kind: Storm, from: number, count: number): Promise<void> {
  const failures: string[] = [];
  const bag = await hunt(
    kind,
    from,
    count,
    ({ seed, violations }) => failures.push(`seed ${seed}: ${violations[0]}`),
    3,
  );
  console.log(`${bag.storms} storms from seed ${from}: ${bag.connections} connections, ${bag.seconds.toFixed(1)} s`);
  expect(failures).toEqual([]);
}
