/** Where proxies connect, how these are, and buttons that give them new connections or no more. */
import type { Snapshot, TargetRow } from "../snapshot.ts";
import { change } from "./changes.ts";
import { button, byId, make, setAttribute } from "./dom.ts";
import { byteRate, count } from "./format.ts";
import { latest, Rates } from "./rates.ts";
import { type Part, Table } from "./table.ts";

interface Row extends TargetRow {
  readonly proxy: string;
  readonly rate: { readonly up: number; readonly down: number };
}

export function targets(): (sample: Snapshot) => void {
  const rates = new Rates();
  const table = new Table<Row>(
    byId("targets"),
    "Drained ones get no new connections, disabled ones no health checks either",
    [
      { title: "Target", text: ({ address, backup }) => (backup ? `${address} (backup)` : address) },
      { title: "State", build: states },
      { title: "Health", class: "long", text: health, tone: ({ healthy }) => (healthy ? "good" : "bad") },
      { title: "Proxy", text: ({ proxy }) => proxy },
      { title: "Open", class: "number", text: ({ active }) => count(active), sort: ({ active }) => active },
      { title: "Weight", class: "number wide", text: ({ weight }) => count(weight) },
      { title: "Given", class: "number wide", text: ({ total }) => count(total), sort: ({ total }) => total },
      { title: "Upstream", class: "number wide", text: ({ rate }) => byteRate(rate.up) },
      { title: "Downstream", class: "number wide", text: ({ rate }) => byteRate(rate.down) },
    ],
    ({ proxy, address }) => `${proxy}\n${address}`,
  );
  return ({ at, proxies }) => {
    // The targets of one that drains are no longer chosen.
    const rows = proxies.flatMap(({ name, state, targets }) =>
      (state === "listening" ? targets : []).map((target) => {
        const course = rates.add(`${name}\n${target.address}`, at, target.up, target.down);
        return { ...target, proxy: name, rate: latest(course) };
      }),
    );
    rates.sweep();
    table.update(rows);
  };
}

function health({ healthy, check }: Row): string {
  if (healthy) return check === null ? "up" : `up; ${check}`;
  return check === null ? "down" : `down: ${check}`;
}

const STATES = { ready: "Ready", drain: "Drain", disabled: "Disable" } as const;

function states(row: () => Row): Part<Row> {
  const { proxy, address } = row();
  const path = `/api/targets/${encodeURIComponent(proxy)}/${encodeURIComponent(address)}`;
  const buttons = Object.entries(STATES).map(([state, text]) => {
    const done = `Target ${address} of proxy ${proxy} is in state ${state}.`;
    const run = () => void change(path, { state }, done);
    return { state, node: button(text, `${text} target ${address} of proxy ${proxy}`, run) };
  });
  return {
    node: make("div", { class: "actions" }, ...buttons.map(({ node }) => node)),
    update(now) {
      for (const { state, node } of buttons) setAttribute(node, "aria-pressed", String(now.state === state));
    },
  };
}
