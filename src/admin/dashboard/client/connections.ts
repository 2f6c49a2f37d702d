/** Who is connected: some of all, to be searched and sorted, each with a button that ends it. */
import type { Connection } from "../../../proxy/record.ts";
import type { ConnectionRow, Snapshot } from "../snapshot.ts";
import { change } from "./changes.ts";
import { button, byId, make, setText } from "./dom.ts";
import { age, bytes, count } from "./format.ts";
import { type Part, Table } from "./table.ts";

/** Rows of the table: what people can look at, and browsers can lay out each second. */
const SHOWN = 100;

/** Milliseconds between searches among those that a sample does not have. */
const PAUSE = 2_000;

interface Found {
  readonly wanted: string;
  /** How many there are, with the text in them. */
  readonly found: number;
  readonly list: readonly ConnectionRow[];
}

export function connections(): (sample: Snapshot) => void {
  const place = byId("connections");
  const filter = make("input", { attributes: { type: "search", spellcheck: "false", autocomplete: "off" } });
  const label = make("label", {}, document.createTextNode("Only those with this in them"), filter);
  place.append(make("div", { class: "bar" }, label));
  const key = ({ id }: ConnectionRow) => String(id);
  const table = new Table(place, "Who is connected, with bytes so far", COLUMNS, key, SHOWN);
  const note = make("p", { class: "note" });
  place.append(note);
  let known: Snapshot["connections"] = { total: 0, list: [] };
  let asked = { wanted: "", at: 0 };
  const show = ({ wanted, found, list }: Found) => {
    if (wanted !== wish(filter)) return;
    table.update(list);
    setText(note, noteOf(known.total, Math.min(found, SHOWN), found, wanted !== ""));
  };
  const showKnown = () => {
    const wanted = wish(filter);
    const list = known.list.filter((row) => words(row).includes(wanted));
    show({ wanted, found: wanted === "" ? known.total : list.length, list });
  };
  filter.addEventListener("input", showKnown);
  return ({ at, connections }) => {
    known = connections;
    const wanted = wish(filter);
    if (wanted === "" || known.total <= known.list.length) return showKnown();
    if (wanted === asked.wanted && at - asked.at < PAUSE) return;
    asked = { wanted, at };
    void search(wanted).then(show, showKnown);
  };
}

function wish({ value }: HTMLInputElement): string {
  return value.trim().toLowerCase();
}

/** Among all that weir can list. */
async function search(wanted: string): Promise<Found> {
  const answer = await fetch(`/api/connections?limit=${SHOWN}&find=${encodeURIComponent(wanted)}`);
  const { found, connections } = (await answer.json()) as { found: number; connections: readonly Connection[] };
  const list = connections.map(({ duration, bytesUpstream: up, bytesDownstream: down, ...rest }) => {
    return { ...rest, age: duration, up, down };
  });
  return { wanted, found, list };
}

function words({ id, proxy, client, target, serverName, state }: ConnectionRow): string {
  return [id, proxy, client, target, serverName, state].join(" ").toLowerCase();
}

function noteOf(total: number, shown: number, found: number, searched: boolean): string {
  if (total === 0) return "Nobody is connected.";
  if (searched) return `${count(shown)} of ${count(found)} that were found among ${count(total)} connections.`;
  return shown < total
    ? `${count(shown)} of ${count(total)} connections; ${count(total - shown)} more are not shown.`
    : `${count(total)} of ${count(total)} connections.`;
}

const COLUMNS = [
  { title: "Number", text: ({ id }: ConnectionRow) => String(id), sort: ({ id }: ConnectionRow) => id },
  { title: "Client", text: ({ client }: ConnectionRow) => client, sort: ({ client }: ConnectionRow) => client },
  { title: "End it", build: closing },
  { title: "Proxy", text: ({ proxy }: ConnectionRow) => proxy, sort: ({ proxy }: ConnectionRow) => proxy },
  { title: "Target", class: "long", text: targetOf, sort: targetOf },
  { title: "State", text: ({ state }: ConnectionRow) => state.replace("_", " ") },
  { title: "Age", class: "number", text: (row: ConnectionRow) => age(row.age), sort: (row: ConnectionRow) => row.age },
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

function targetOf({ target, serverName }: ConnectionRow): string {
  const asked = serverName === null ? "" : ` (${serverName})`;
  return `${target ?? "none yet"}${asked}`;
}

function closing(row: () => ConnectionRow): Part<ConnectionRow> {
  const { id, proxy } = row();
  const run = () => void change(`/api/connections/${id}/close`, {}, `Connection ${id} of proxy ${proxy} is closed.`);
  return { node: button("Close", `Close connection ${id} of proxy ${proxy}`, run), update() {} };
}
