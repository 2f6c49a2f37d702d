/** The report as a page: one file, with its plots, that asks nobody for anything. */
import { formatAddress } from "../net/address.ts";
import { verdictLine } from "./assertion.ts";
import { type Plot, svgPlot } from "./plot.ts";
import { formatCount, formatPercent, formatSize, formatTime } from "./quantities.ts";
import { type Outcome, troubleWords } from "./report-text.ts";
import type { Result } from "./result.ts";

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --rule: #d4dae1; --soft: #57606a; --good: #116329; --bad: #a40e26; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --rule: #30363d; --soft: #9aa4ae; --good: #56d364; --bad: #ff7b72; }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
.plots { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); }
figure { margin: 0; } figcaption, .soft { color: var(--soft); font-size: .9rem; }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font: 11px system-ui, sans-serif; }
.met { color: var(--good); } .missed { color: var(--bad); font-weight: 600; }
`;

/** `when`: milliseconds since 1970. */
export function htmlReport(
  about: { readonly when: number; readonly weir: string },
  outcomes: readonly Outcome[],
): string {
  const when = new Date(about.when).toISOString().replace(/\.\d+Z$/, "Z");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Load report</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Load report</h1>
<p class="soft">weir ${text(about.weir)}, ${when}</p>
${summary(outcomes)}
${outcomes.map(section).join("\n")}
</main>
</body>
</html>
`;
}

const COLUMNS: readonly (readonly [string, (result: Result) => string])[] = [
  ["Clients", ({ scenario }) => formatCount(scenario.connections)],
  ["Size", ({ scenario }) => formatSize(scenario.messageSize)],
  ["Requests", ({ requests }) => formatCount(requests)],
  ["Requests/s", ({ rate }) => formatCount(rate)],
  ["p50", (result) => time(result, result.latencies.p50)],
  ["p95", (result) => time(result, result.latencies.p95)],
  ["p99", (result) => time(result, result.latencies.p99)],
  ["p99.9", (result) => time(result, result.latencies.p999)],
  ["p99.99", (result) => time(result, result.latencies.p9999)],
  ["Max", (result) => time(result, result.latencies.max)],
  ["Errors", ({ errorPercent }) => formatPercent(errorPercent)],
];

function summary(outcomes: readonly Outcome[]): string {
  const heads = ["Scenario", ...COLUMNS.map(([name]) => name)].map((name) => `<th scope="col">${name}</th>`).join("");
  const rows = outcomes.map(({ result }) => {
    const cells = COLUMNS.map(([, cell]) => `<td>${text(cell(result))}</td>`).join("");
    return `<tr><th scope="row">${text(result.scenario.name)}</th>${cells}</tr>`;
  });
  return `<div class="table"><table><thead><tr>${heads}</tr></thead><tbody>${rows.join("\n")}</tbody></table></div>`;
}

function section({ result, verdicts }: Outcome): string {
  const { scenario, errors, failures } = result;
  const pace =
    scenario.rate === null
      ? "as fast as replies come"
      : `${formatCount(scenario.rate)} requests/s, whatever comes back`;
  const lines = verdicts.map((verdict) => {
    const [style, word] = verdict.met ? ["met", "met"] : ["missed", "not met"];
    return `<li class="${style}">${word}: ${text(verdictLine(verdict))}</li>`;
  });
  const failed = Object.entries(errors).map(
    ([code, count]) => `<li>${formatCount(count)} ${text(troubleWords(code))}</li>`,
  );
  return `<section>
<h2>${text(scenario.name)}</h2>
<p class="soft">${text(formatAddress(scenario.target))}, ${pace}${scenario.reconnect ? ", a connection for each request" : ""}</p>
${lines.length > 0 ? `<ul>${lines.join("")}</ul>` : ""}
${failures > 0 ? `<p>${formatCount(failures)} requests failed:</p><ul>${failed.join("")}</ul>` : ""}
<div class="plots">${plots(result)
    .map((plot) => `<figure>${svgPlot(plot)}<figcaption>${text(plot.title)}</figcaption></figure>`)
    .join("\n")}</div>
</section>`;
}

function plots(result: Result): Plot[] {
  if (result.requests === 0) return [];
  const { seconds, curve } = result;
  const over = (value: (second: (typeof seconds)[number]) => number) =>
    seconds.map((each) => [each.second, value(each)] as const);
  return [
    {
      title: "Latency by percentile",
      // One more nine is as far to the right as the one before.
      lines: [{ name: "", points: curve.map(([percent, ms]) => [-Math.log10(1 - percent / 100), ms] as const) }],
      x: { ticks: [0, 1, 2, 3, 4, 5], write: (nines) => (nines === 0 ? "0" : `p${100 - 100 / 10 ** nines}`) },
      y: formatTime,
    },
    {
      title: "Requests per second, over the time",
      lines: [
        { name: "replies", points: over(({ requests }) => requests) },
        ...(result.failures > 0 ? [{ name: "errors", points: over(({ errors }) => errors) }] : []),
      ],
      x: { write: (second) => `${second}s` },
      y: formatCount,
    },
    {
      title: "Latency over the time",
      lines: [
        { name: "p50", points: over(({ p50 }) => p50) },
        { name: "p99", points: over(({ p99 }) => p99) },
      ],
      x: { write: (second) => `${second}s` },
      y: formatTime,
    },
  ];
}

function time({ requests }: Result, ms: number): string {
  return requests > 0 ? formatTime(ms) : "-";
}

/** Names come from files. */
function text(value: string): string {
  return value.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
