/** Storms in CI: the corpus, seeds that are always the same, and some that nobody has tried before. */
import { expect, test } from "bun:test";
import { bridgeStorm } from "./bridges/storm.ts";
import { CORPUS } from "./corpus.ts";
import { datagramStorm } from "./datagrams/storm.ts";
import { hunt, type Storm } from "./hunt.ts";
import { MUTANTS } from "./mutants.ts";
import { muxStorm } from "./mux/storm.ts";
import { storm } from "./storm.ts";

const FIXED = 2_000;
const FRESH = 300;
const FIXED_MUX = 1_000;
const FIXED_UDP = 1_000;
const FIXED_BRIDGES = 1_000;

for (const { seed, was } of CORPUS) {
  test(`seed ${seed}: ${was}`, async () => expect((await storm(seed)).violations).toEqual([]));
}

test(`${FIXED} storms that are always the same`, () => nothingIn(storm, 1, FIXED), 300_000);

test(
  `${FRESH} storms that nobody has seen before`,
  () => nothingIn(storm, Math.floor(Math.random() * 2 ** 40), FRESH),
  300_000,
);

test(
  `${FIXED_MUX} storms over shared connections that are always the same`,
  () => nothingIn(muxStorm, 1, FIXED_MUX),
  300_000,
);

test(
  `${FRESH} storms over shared connections that nobody has seen before`,
  () => nothingIn(muxStorm, Math.floor(Math.random() * 2 ** 40), FRESH),
  300_000,
);

test(
  `${FIXED_UDP} storms of datagrams that are always the same`,
  () => nothingIn(datagramStorm, 1, FIXED_UDP),
  300_000,
);

test(
  `${FRESH} storms of datagrams that nobody has seen before`,
  () => nothingIn(datagramStorm, Math.floor(Math.random() * 2 ** 40), FRESH),
  300_000,
);

test(
  `${FIXED_BRIDGES} storms over bridges that are always the same`,
  () => nothingIn(bridgeStorm, 1, FIXED_BRIDGES),
  300_000,
);

test(
  `${FRESH} storms over bridges that nobody has seen before`,
  () => nothingIn(bridgeStorm, Math.floor(Math.random() * 2 ** 40), FRESH),
  300_000,
);

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
  for (const { file, find } of MUTANTS) {
    const source = await Bun.file(new URL(`../../${file}`, import.meta.url)).text();
    expect(source.split(find).length, `${file}: ${find}`).toBe(2);
  }
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
