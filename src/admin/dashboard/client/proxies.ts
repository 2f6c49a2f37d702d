/** What listens, with its figures. */
import type { ProxyRow, Snapshot } from "../snapshot.ts";
import { Spark } from "./charts.ts";
import { byId } from "./dom.ts";
import { byteRate, bytes, count } from "./format.ts";
import { type Course, latest, Rates } from "./rates.ts";
import { type Column, Table } from "./table.ts";

export function proxies(): (sample: Snapshot) => void {
  const rates = new Rates();
  const courses = new Map<string, Course>();
  const courseOf = (row: ProxyRow) => courses.get(keyOf(row)) ?? { at: [], up: [], down: [] };
  const table = new Table(byId("proxies"), "What listens, and how fast bytes pass", columns(courseOf), keyOf);
  return ({ at, proxies }) => {
    courses.clear();
    for (const row of proxies) courses.set(keyOf(row), rates.add(keyOf(row), at, row.up, row.down));
    rates.sweep();
    table.update(proxies);
  };
}

/** One that was replaced is there twice, for a while. */
function keyOf({ name, listen, state }: ProxyRow): string {
  return `${name}\n${listen}\n${state}`;
}

function columns(courseOf: (row: ProxyRow) => Course): readonly Column<ProxyRow>[] {
  return [
    { title: "Proxy", text: ({ name }) => name },
    { title: "Listens on", text: ({ listen }) => listen },
    { title: "State", text: ({ state }) => state, tone: ({ state }) => (state === "listening" ? "good" : "bad") },
    { title: "Open", class: "number", text: ({ active }) => count(active), sort: ({ active }) => active },
    { title: "Waiting", class: "number wide", text: ({ waiting }) => count(waiting) },
    { title: "Accepted", class: "number wide", text: ({ total }) => count(total), sort: ({ total }) => total },
    {
      title: "Failed",
      class: "number wide",
      text: ({ failed, denied }) => (denied > 0 ? `${count(failed)} (${count(denied)} denied)` : count(failed)),
      sort: ({ failed }) => failed,
    },
    { title: "Upstream", class: "number", text: (row) => byteRate(latest(courseOf(row)).up) },
    { title: "Downstream", class: "number", text: (row) => byteRate(latest(courseOf(row)).down) },
    { title: "Trend", class: "wide", build: () => spark(courseOf) },
    { title: "So far", class: "number long wide", text: amount },
  ];
}

function amount({ up, down, datagrams }: ProxyRow): string {
  const both = `${bytes(up)} / ${bytes(down)}`;
  if (!datagrams) return both;
  return `${both}; datagrams ${count(datagrams.up)} / ${count(datagrams.down)}, ${count(datagrams.lost)} lost`;
}

/** Of both directions together; the figures are in the columns before it. */
function spark(courseOf: (row: ProxyRow) => Course) {
  const line = new Spark();
  return {
    node: line.element,
    update(row: ProxyRow) {
      const { at, up, down } = courseOf(row);
      line.update(
        at,
        up.map((value, index) => value + (down[index] ?? 0)),
      );
    },
  };
}
