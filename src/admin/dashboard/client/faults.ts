/** What goes wrong on purpose: faults that are on, those that this page has switched off, and a form for more. */
import type { KindRow } from "../kinds.ts";
import type { ProxyRow, Snapshot } from "../snapshot.ts";
import { change } from "./changes.ts";
import { button, byId, make, setAttribute, setText } from "./dom.ts";
import { faultForm } from "./fault-form.ts";
import { type Part, Table } from "./table.ts";

type Fault = ProxyRow["faults"][number];

interface Row {
  readonly proxy: string;
  readonly fault: Fault;
  readonly on: boolean;
}

export interface FaultPanel {
  kinds(kinds: readonly KindRow[]): void;
  sample(sample: Snapshot): void;
}

export function faults(): FaultPanel {
  const place = byId("faults");
  const form = faultForm(place);
  const rows = new Map<string, Row>();
  const table = new Table<Row>(
    place,
    "What was switched off here can be switched on again",
    [
      { title: "Fault", text: ({ fault }) => fault.name },
      { title: "Proxy", text: ({ proxy }) => proxy },
      { title: "State", text: ({ on }) => (on ? "on" : "off"), tone: ({ on }) => (on ? "bad" : "") },
      { title: "Switch", build: (row) => toggle(row) },
      { title: "What", class: "long", text: ({ fault }) => describe(fault) },
    ],
    keyOf,
  );
  const note = make("p", { class: "note", text: "Nothing goes wrong on purpose." });
  place.append(note);
  return {
    kinds: (kinds) => form.kinds(kinds),
    sample({ proxies }) {
      const listening = proxies.filter(({ state }) => state === "listening");
      const names = new Set(listening.map(({ name }) => name));
      for (const [key, row] of rows) {
        if (names.has(row.proxy)) rows.set(key, { ...row, on: false });
        else rows.delete(key);
      }
      for (const { name, faults } of listening) {
        for (const fault of faults) rows.set(keyOf({ proxy: name, fault }), { proxy: name, fault, on: true });
      }
      table.update([...rows.values()]);
      note.hidden = rows.size > 0;
      form.proxies(listening);
    },
  };
}

function keyOf({ proxy, fault }: Pick<Row, "proxy" | "fault">): string {
  return `${proxy}\n${fault.name}`;
}

function toggle(row: () => Row): Part<Row> {
  const node = button("", "", () => {
    const { proxy, fault, on } = row();
    const path = `/api/faults/${encodeURIComponent(proxy)}`;
    const named = `Fault ${fault.name} of proxy ${proxy}`;
    if (on) void change(`${path}/${encodeURIComponent(fault.name)}/remove`, {}, `${named} is off.`);
    else void change(path, written(fault), `${named} is on.`);
  });
  return {
    node,
    update({ proxy, fault, on }) {
      const text = on ? "Switch off" : "Switch on";
      setText(node, text);
      setAttribute(node, "aria-label", `${text} fault ${fault.name} of proxy ${proxy}`);
    },
  };
}

/** As the API takes it: numbers in the unit of each attribute, and no text that is empty. */
function written({ attributes, after, ...fault }: Fault): Record<string, unknown> {
  const entries = Object.entries(attributes).filter(([, value]) => value !== "");
  const { bytes, time } = after;
  const onset = { ...(bytes > 0 ? { bytes: `${bytes}B` } : {}), ...(time > 0 ? { time: `${time}ms` } : {}) };
  return { ...fault, after: onset, ...Object.fromEntries(entries) };
}

function describe({ type, stream, toxicity, attributes }: Fault): string {
  const settings = Object.entries(attributes).flatMap(([name, value]) => (value === "" ? [] : [`${name} ${value}`]));
  const share = toxicity < 1 ? [`${toxicity * 100} % of connections`] : [];
  return [`${type}, ${stream}`, ...settings, ...share].join(", ");
}
