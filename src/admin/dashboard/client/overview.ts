/** The totals of this moment, and how they came to be. */
import type { Snapshot } from "../snapshot.ts";
import { Spark, Throughput } from "./charts.ts";
import { byId, make, setText } from "./dom.ts";
import { byteRate, count } from "./format.ts";
import { type Course, latest, push, Rates } from "./rates.ts";

export function overview(): (sample: Snapshot) => void {
  const rates = new Rates();
  const open: Course = { at: [], up: [], down: [] };
  const tiles = [
    tile("Open connections", "up", ({ totals }) => count(totals.connectionsActive)),
    tile("New connections", "up", (_, { accepted }) => `${count(accepted)}/s`),
    tile("Upstream", "up", (_, { up }) => byteRate(up)),
    tile("Downstream", "down", (_, { down }) => byteRate(down)),
  ];
  const chart = new Throughput();
  const key = make(
    "ul",
    { class: "key" },
    make("li", { text: "upstream" }),
    make("li", { class: "down", text: "downstream" }),
  );
  const place = byId("overview");
  place.append(make("dl", { class: "tiles" }, ...tiles.map(({ element }) => element)));
  place.append(make("div", { class: "plot" }, key, chart.element));
  return (sample) => {
    const { at, totals } = sample;
    if ((open.at.at(-1) ?? 0) >= at) for (const list of [open.at, open.up, open.down]) list.length = 0;
    push(open, at, totals.connectionsActive, 0);
    const bytes = rates.add("bytes", at, totals.bytesUpstream, totals.bytesDownstream);
    const connections = rates.add("connections", at, totals.connectionsTotal, 0);
    const now = { ...latest(bytes), accepted: latest(connections).up };
    const courses = [
      [open.at, open.up],
      [connections.at, connections.up],
      [bytes.at, bytes.up],
      [bytes.at, bytes.down],
    ] as const;
    tiles.forEach(({ update }, index) => {
      const [times, values] = courses[index] ?? [[], []];
      update(sample, now, times, values);
    });
    chart.update(bytes);
  };
}

interface Now {
  readonly up: number;
  readonly down: number;
  readonly accepted: number;
}

function tile(title: string, tone: "up" | "down", text: (sample: Snapshot, now: Now) => string) {
  const figure = make("dd", { class: "figure" });
  const spark = new Spark(tone);
  const line = make("dd", {}, spark.element);
  return {
    element: make("div", { class: "tile" }, make("dt", { text: title }), figure, line),
    update(sample: Snapshot, now: Now, at: readonly number[], values: readonly number[]) {
      setText(figure, text(sample, now));
      spark.update(at, values);
    },
  };
}
