/** What is counted for observers, in memory that threads share, and the forms in which it is shown. */
import { expect, test } from "bun:test";
import { observerFamilies } from "../../src/metrics/observer-families.ts";
import { OBSERVER_CELL, ObserverCounters, observerMemory, observerView } from "../../src/observe/observer-counters.ts";
import { haveTool } from "../e2e/tools.ts";
import { observer } from "./world.ts";

function counters(name = "10.0.0.1:6000", memory = observerMemory(2)): ObserverCounters {
  for (const worker of [0, 1]) {
    const part = ObserverCounters.of(memory, 'odd "name"', name, worker);
    for (const cell of Object.values(OBSERVER_CELL)) part.add(cell, (cell + 1) * 10 ** worker);
  }
  return ObserverCounters.all(memory, 'odd "name"', name);
}

test("each worker counts for itself, and all of them together", () => {
  const sum = counters();
  expect(Object.values(OBSERVER_CELL).map((cell) => sum.get(cell))).toEqual([11, 22, 33, 44, 55, 66, 77]);
});

test("a worker that is gone has no connections, and what waited there is lost", () => {
  const memory = observerMemory(2);
  counters("a", memory);
  ObserverCounters.of(memory, "p", "a", 1).abandon();
  const sum = ObserverCounters.all(memory, "p", "a");
  expect(sum.get(OBSERVER_CELL.connections)).toBe(5);
  expect(sum.get(OBSERVER_CELL.waiting)).toBe(4);
  expect(sum.get(OBSERVER_CELL.lost)).toBe(22 + 40);
});

test("an observer as JSON", () => {
  expect(observerView(observer({ whenFull: "block" }, "udp://10.0.0.1:9000"), counters())).toEqual({
    address: "udp://10.0.0.1:9000",
    copies: "upstream",
    format: "raw",
    whenFull: "block",
    connections: 55,
    bytes: 11,
    bytesLost: 22,
    bytesWaiting: 44,
    gaps: 33,
    connectFailures: 66,
    disconnects: 77,
  });
});

test("families carry proxy and observer, and one that is there twice is one", () => {
  const page = observerFamilies([counters("a"), counters("b"), counters("a")]);
  expect(page).toContain("# TYPE weir_observer_bytes_total counter");
  expect(page).toContain("# TYPE weir_observer_waiting_bytes gauge");
  expect(page.filter((line) => line.startsWith("weir_observer_waiting_bytes"))).toEqual([
    'weir_observer_waiting_bytes{proxy="odd \\"name\\"",observer="a"} 88',
    'weir_observer_waiting_bytes{proxy="odd \\"name\\"",observer="b"} 44',
  ]);
  expect(page.filter((line) => line.startsWith("# TYPE"))).toHaveLength(7);
});

test("without observers there are no families", () => {
  expect(observerFamilies([])).toEqual([]);
});

test.skipIf(!haveTool("promtool"))("promtool finds nothing to complain about", async () => {
  const page = `${observerFamilies([counters("a"), counters("b")]).join("\n")}\n`;
  const child = Bun.spawn(["promtool", "check", "metrics"], {
    stdin: new Blob([page]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const said = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect(said.join("")).toBe("");
});
