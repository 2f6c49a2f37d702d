/** Connections that clients share. */
import type { ProxyRow, Snapshot } from "../snapshot.ts";
import { byId } from "./dom.ts";
import { count } from "./format.ts";
import { Table } from "./table.ts";

type View = NonNullable<ProxyRow["mux"]>;

interface Row {
  readonly proxy: string;
  readonly view: View;
  readonly target: View["targets"][number];
}

export function mux(): (sample: Snapshot) => void {
  const place = byId("mux");
  const table = new Table<Row>(
    place,
    "Requests over shared connections, by proxy and target",
    [
      { title: "Target", text: ({ target }) => target.address },
      { title: "Proxy", text: ({ proxy, view }) => `${proxy} (${view.protocol})` },
      {
        title: "Connections",
        class: "number",
        text: ({ target, view }) => `${count(target.connections)} of ${count(view.connections)}`,
      },
      { title: "Requests", class: "number", text: ({ target }) => count(target.requests) },
      { title: "Waiting", class: "number", text: ({ target }) => count(target.waiting) },
      { title: "Under way", class: "number", text: ({ target }) => count(target.inFlight) },
      { title: "Timeouts", class: "number wide", text: ({ target }) => count(target.timeouts) },
      { title: "Sent again", class: "number wide", text: ({ target }) => count(target.retries) },
      { title: "Replies for nobody", class: "number wide", text: ({ target }) => count(target.repliesDropped) },
      { title: "No replies", class: "number wide", text: ({ target }) => count(target.mismatches) },
      { title: "Redials", class: "number wide", text: ({ target }) => count(target.redials) },
    ],
    ({ proxy, target }) => `${proxy}\n${target.address}`,
  );
  return ({ proxies }) => {
    const rows = proxies.flatMap(({ name, state, mux: view }) =>
      state === "listening" && view ? view.targets.map((target) => ({ proxy: name, view, target })) : [],
    );
    place.hidden = rows.length === 0;
    table.update(rows);
  };
}
