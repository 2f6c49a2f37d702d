/** Who gets copies of what passes, and what it has missed. */
import type { ProxyRow, Snapshot } from "../snapshot.ts";
import { byId } from "./dom.ts";
import { bytes, count } from "./format.ts";
import { Table } from "./table.ts";

type Row = ProxyRow["observers"][number] & { readonly proxy: string };

export function observers(): (sample: Snapshot) => void {
  const place = byId("observers");
  const table = new Table<Row>(
    place,
    "Who gets copies, and what was missed",
    [
      { title: "Observer", class: "long", text: ({ address }) => address },
      { title: "Proxy", text: ({ proxy }) => proxy },
      { title: "Copies", text: ({ copies }) => copies },
      { title: "When full", class: "wide", text: ({ whenFull }) => whenFull },
      { title: "Connections", class: "number", text: ({ connections }) => count(connections) },
      { title: "Given", class: "number", text: (row) => bytes(row.bytes) },
      { title: "Waiting", class: "number wide", text: ({ bytesWaiting }) => bytes(bytesWaiting) },
      {
        title: "Missed",
        class: "number",
        text: ({ bytesLost, gaps }) => (gaps > 0 ? `${bytes(bytesLost)} in ${count(gaps)} gaps` : bytes(bytesLost)),
        tone: ({ bytesLost }) => (bytesLost > 0 ? "bad" : ""),
      },
      { title: "Not connected", class: "number wide", text: ({ connectFailures }) => count(connectFailures) },
      { title: "Cut off", class: "number wide", text: ({ disconnects }) => count(disconnects) },
    ],
    ({ proxy, address, copies }) => `${proxy}\n${address}\n${copies}`,
  );
  return ({ proxies }) => {
    const rows = proxies.flatMap(({ name, state, observers }) =>
      (state === "listening" ? observers : []).map((each) => ({ ...each, proxy: name })),
    );
    place.hidden = rows.length === 0;
    table.update(rows);
  };
}
