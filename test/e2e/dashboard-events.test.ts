/** The stream of events of the admin server, as each runtime serves it. */
import { describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { RUNTIMES } from "../contract/runtimes.ts";
import { Lines, Weir } from "./weir.ts";

describe.each([...RUNTIMES])("under %s", (runtime) => {
  test("events come while traffic flows, and pages that look on do not keep weir from ending", async () => {
    await using weir = await Weir.start(["demo"], runtime);
    const url = await dashboardOf(weir);
    const page = await fetch(url, { headers: { accept: "text/html" } });
    expect(await page.text()).toStartWith("<!doctype html>");
    expect((await fetch(`${url}dashboard/client.js`)).headers.get("content-type")).toStartWith("text/javascript");
    const events = await fetch(`${url}api/events`);
    expect(events.headers.get("content-type")).toStartWith("text/event-stream");
    const lines = new Lines(events.body as ReadableStream<Uint8Array>);
    // One that looks on and never reads.
    const silent = connect(Number(new URL(url).port), "127.0.0.1");
    silent.on("error", () => {});
    silent.write("GET /api/events HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
    let before = 0;
    for (let grown = 0; grown < 2; ) {
      const sample = JSON.parse((await lines.next((line) => line.startsWith('data: {"at"'))).slice("data: ".length));
      if (before > 0 && sample.totals.bytesUpstream > before && sample.connections.total > 0) grown++;
      before = sample.totals.bytesUpstream;
    }
    weir.signal("SIGTERM");
    await lines.next((line) => line === "event: bye");
    expect(await weir.exit()).toBe(0);
    silent.destroy();
  });
});

async function dashboardOf(weir: Weir): Promise<string> {
  return (await weir.stdout.next((line) => line.startsWith("dashboard "))).split(" ")[1] ?? "";
}
