/** The end of the log. It follows what comes, unless somebody has scrolled back. */
import { byId, make } from "./dom.ts";
import type { LogNews } from "./stream.ts";

/** Lines that are kept in the page. */
const KEPT = 500;

export interface LogPanel {
  /** Another weir, whose lines count from 1. */
  reset(): void;
  add(news: LogNews): void;
}

export function log(): LogPanel {
  // No live region: a busy log would never let a screen reader say anything else.
  const attributes = { tabindex: "0", "aria-labelledby": "log-title" };
  const list = make("ol", { class: "lines", attributes });
  byId("log").append(list);
  let last = 0;
  return {
    reset() {
      last = 0;
      list.replaceChildren();
    },
    add({ lost, lines }) {
      const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 8;
      const news = lines.filter(({ number }) => number > last);
      if (lost > 0 && last > 0) list.append(make("li", { class: "note", text: `… ${lost} lines are not shown` }));
      for (const { time, level, text } of news) list.append(line(time, level, text));
      last = Math.max(last, lines.at(-1)?.number ?? 0);
      while (list.childElementCount > KEPT) list.firstElementChild?.remove();
      if (atEnd) list.scrollTop = list.scrollHeight;
    },
  };
}

function line(time: number, level: string, text: string): HTMLLIElement {
  const at = new Date(time);
  const clock = make("time", {
    text: at.toLocaleTimeString("en", { hourCycle: "h23" }),
    attributes: { datetime: at.toISOString() },
  });
  const plain = level === "info" ? text : `${level}: ${text}`;
  return make("li", { class: level }, clock, document.createTextNode(plain));
}
