/** Bridges of datagrams: each of their ends. */
import type { BridgeRow, Snapshot } from "../snapshot.ts";
import { byId } from "./dom.ts";
import { byteRate, bytes, count } from "./format.ts";
import { latest, Rates } from "./rates.ts";
import { Table } from "./table.ts";

type End = BridgeRow["ends"][number];

interface Row {
  readonly key: string;
  readonly bridge: string;
  readonly state: string;
  readonly end: End;
  /** Bytes in a second. */
  readonly rate: number;
  /** Datagrams in a second. */
  readonly pace: number;
}

export function udp(): (sample: Snapshot) => void {
  const place = byId("udp");
  const rates = new Rates();
  const table = new Table<Row>(
    place,
    "Sources and destinations of bridges",
    [
      { title: "End", class: "long", text: ({ end }) => `${end.direction} ${end.address}` },
      { title: "Bridge", text: ({ bridge }) => bridge },
      { title: "State", text: ({ state }) => state, tone: ({ state }) => (state === "bridging" ? "good" : "bad") },
      { title: "Rate", class: "number", text: ({ rate }) => byteRate(rate) },
      { title: "Datagrams", class: "number", text: ({ end, pace }) => `${count(end.datagrams)}, ${count(pace)}/s` },
      { title: "Bytes", class: "number wide", text: ({ end }) => bytes(end.bytes) },
      {
        title: "Lost",
        class: "number",
        text: ({ end }) => count(lost(end)),
        tone: ({ end }) => (lost(end) > 0 ? "bad" : ""),
      },
      { title: "Connections", class: "number wide", text: ({ end }) => count(end.connections) },
      { title: "Failures", class: "number wide", text: ({ end }) => count(end.failures) },
    ],
    ({ key }) => key,
  );
  return ({ at, udp }) => {
    const rows = udp.flatMap(({ name, state, ends }) =>
      ends.map((end, index) => {
        const key = `${name}\n${state}\n${index}`;
        const { up: rate, down: pace } = latest(rates.add(key, at, end.bytes, end.datagrams));
        return { key, bridge: name, state, end, rate, pace };
      }),
    );
    rates.sweep();
    place.hidden = rows.length === 0;
    table.update(rows);
  };
}

function lost({ overrun, unsent, full, looped }: End): number {
  return overrun + unsent + full + looped;
}
