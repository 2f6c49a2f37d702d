/** Who is connected: some of all, to be searched and sorted, each with a button that ends it. */
import type { ConnectionRow, Snapshot } from "../snapshot.ts";
import { change } from "./changes.ts";
import { button, byId, make, setText } from "./dom.ts";
import { age, bytes, count } from "./format.ts";
import { type Part, Table } from "./table.ts";

/** Rows of the table: what people can look at, and browsers can lay out each second. */
const SHOWN = 100;

export function connections(): (sample: Snapshot) => void {
  const place = byId("connections");
  const filter = make("input", { attributes: { type: "search", spellcheck: "false", autocomplete: "off" } });
  const label = make("label", {}, document.createTextNode("Only those with this in them"), filter);
  place.append(make("div", { class: "bar" }, label));
  const table = new Table<ConnectionRow>(place, "Who is connected, with bytes so far", columns(), ({ id }) =>
    String(id),
  );
  const note = make("p", { class: "note" });
  place.append(note);
  let known: Snapshot["connections"] = { total: 0, list: [] };
  const show = () => {
    const wanted = filter.value.trim().toLowerCase();
    const found = known.list.filter((row) => words(row).includes(wanted));
    table.update(found.slice(0, SHOWN));
    setText(note, noteOf(known, found.length));
  };
  filter.addEventListener("input", show);
  return ({ connections }) => {
    known = connections;
    show();
  };
}

function words({ id, proxy, client, target, serverName, state }: ConnectionRow): string {
  return [id, proxy, client, target, serverName, state].join(" ").toLowerCase();
}

function noteOf({ total, list }: Snapshot["connections"], found: number): string {
  if (total === 0) return "Nobody is connected.";
  const shown = Math.min(found, SHOWN);
  const all = `${count(shown)} of ${count(total)} connections`;
  if (total <= list.length) return `${all}.`;
  return `${all}; searched are ${count(list.length)} of them, /api/connections lists up to 10,000.`;
}

function columns() {
  return [
    { title: "Number", text: ({ id }: ConnectionRow) => String(id), sort: ({ id }: ConnectionRow) => id },
    { title: "Client", text: ({ client }: ConnectionRow) => client, sort: ({ client }: ConnectionRow) => client },
    { title: "End it", build: closing },
    { title: "Proxy", text: ({ proxy }: ConnectionRow) => proxy, sort: ({ proxy }: ConnectionRow) => proxy },
    { title: "Target", class: "long", text: targetOf, sort: targetOf },
    { title: "State", text: ({ state }: ConnectionRow) => state.replace("_", " ") },
    {
      title: "Age",
      class: "number",
      text: (row: ConnectionRow) => age(row.age),
      sort: (row: ConnectionRow) => row.age,
    },
    {
      title: "Upstream",
      class: "number",
      text: ({ up }: ConnectionRow) => bytes(up),
      sort: ({ up }: ConnectionRow) => up,
    },
    {
      title: "Downstream",
      class: "number",
      text: ({ down }: ConnectionRow) => bytes(down),
      sort: ({ down }: ConnectionRow) => down,
    },
  ] as const;
}

function targetOf({ target, serverName }: ConnectionRow): string {
  const asked = serverName === null ? "" : ` (${serverName})`;
  return `${target ?? "none yet"}${asked}`;
}

function closing(row: () => ConnectionRow): Part<ConnectionRow> {
  const { id, proxy } = row();
  const run = () => void change(`/api/connections/${id}/close`, {}, `Connection ${id} of proxy ${proxy} is closed.`);
  return { node: button("Close", `Close connection ${id} of proxy ${proxy}`, run), update() {} };
}
