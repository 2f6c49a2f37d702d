/** The page in the browser: each panel gets what weir tells, once a second. */
import type { Snapshot } from "../snapshot.ts";
import { ask } from "./ask.ts";
import { change } from "./changes.ts";
import { connections } from "./connections.ts";
import { byId, setAttribute, setText } from "./dom.ts";
import { faults } from "./faults.ts";
import { log } from "./log.ts";
import { mux } from "./mux.ts";
import { observers } from "./observers.ts";
import { overview } from "./overview.ts";
import { proxies } from "./proxies.ts";
import { Stream } from "./stream.ts";
import { targets } from "./targets.ts";
import { udp } from "./udp.ts";

const faultPanel = faults();
const logPanel = log();
const panels = [overview(), proxies(), targets(), connections(), faultPanel.sample, observers(), mux(), udp(), about];
let started = 0;

const stream = new Stream({
  hello(hello) {
    if (hello.started !== started) logPanel.reset();
    started = hello.started;
    faultPanel.kinds(hello.kinds);
  },
  sample(sample) {
    for (const show of panels) show(sample);
  },
  log: (news) => logPanel.add(news),
  state(text, live) {
    setText(byId("link"), text);
    byId("link").className = live ? "badge live" : "badge";
  },
});

function about({ version, runtime, engine, workers, restarts, eventsLost, ready }: Snapshot): void {
  const threads = engine === "native" ? `, ${workers} ${workers === 1 ? "worker" : "workers"}` : "";
  const troubles = [
    ...(ready ? [] : ["draining"]),
    ...(restarts > 0 ? [`${restarts} worker restarts`] : []),
    ...(eventsLost > 0 ? [`${eventsLost} log events lost`] : []),
  ];
  setText(byId("about"), [`${version} on ${runtime}, ${engine} engine${threads}`, ...troubles].join("; "));
}

const pause = byId<HTMLButtonElement>("pause");
pause.addEventListener("click", () => {
  const paused = pause.getAttribute("aria-pressed") !== "true";
  setAttribute(pause, "aria-pressed", String(paused));
  stream.paused = paused;
});

byId("reload").addEventListener("click", () => void change("/api/reload", {}, "The configuration was read again."));

byId("drain").addEventListener("click", async () => {
  const text = "weir stops listening and ends when the last connection has. It does not start again by itself.";
  const answer = await ask({ title: "Drain weir?", text, yes: "Drain weir" });
  if (answer !== undefined) await change("/api/drain", {}, "weir drains: it listens no more.");
});
