/** examples/monitoring: promtool accepts it, and every metric and label in it is there in a running weir. */
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import dashboard from "../../examples/monitoring/dashboard.json";
import { Daemon } from "../e2e/daemon.ts";
import { haveTool } from "../e2e/tools.ts";
import { run } from "../e2e/weir.ts";
import { monitored } from "./monitored.ts";
import { filledIn, metricsOf, usesOf } from "./promql.ts";

const FOLDER = join(import.meta.dir, "../../examples/monitoring");
const canRun = haveTool("promtool") && haveTool("openssl");

interface Query {
  readonly expr: string;
  readonly legendFormat: string;
}
const panels = dashboard.panels.filter(({ type }) => type !== "row");
const queries = panels.flatMap((panel) => ("targets" in panel ? (panel.targets as readonly Query[]) : []));
const rules = (await Bun.file(join(FOLDER, "alerts.yml")).text()).split("- alert: ").slice(1);

test.skipIf(!canRun)("promtool finds nothing wrong with the configuration and the rules", async () => {
  expect(await run(["promtool", "check", "config", join(FOLDER, "prometheus.yml")])).toMatchObject({ code: 0 });
  const { code, out } = await run(["promtool", "check", "rules", join(FOLDER, "alerts.yml")]);
  expect(out).toContain(`SUCCESS: ${rules.length} rules found`);
  expect(code).toBe(0);
});

test.skipIf(!canRun)("each alarm is raised when it should be, and proved to be", async () => {
  const { code, out, err } = await run(["promtool", "test", "rules", join(FOLDER, "alerts.test.yml")]);
  expect(`${out}${err}`).toContain("SUCCESS");
  expect(code).toBe(0);
  const proofs = await Bun.file(join(FOLDER, "alerts.test.yml")).text();
  for (const rule of rules)
    expect(proofs).toContain(`alertname: ${/^\w+/.exec(rule)?.[0]}\n        exp_alerts:\n          -`);
});

describe("the dashboard", () => {
  test("has panels that do not lie on each other, with ids of their own", () => {
    const all = dashboard.panels;
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    const places = new Set<string>();
    for (const { gridPos, title } of all) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(places.has(`${x},${y}`), title).toBe(false);
          places.add(`${x},${y}`);
        }
      }
    }
  });

  test("asks the data source that was chosen, and only variables that it has", () => {
    const known = dashboard.templating.list.map(({ name }) => name);
    const text = JSON.stringify(dashboard.panels);
    const used = [...text.matchAll(/\$\{?(\w+)/g)]
      .map(([, name = ""]) => name)
      .filter((name) => !name.startsWith("__"));
    expect([...new Set(used)].sort()).toEqual(known.toSorted());
    for (const { expr } of queries) expect(expr).toContain('instance=~"$instance"');
  });
});

describe.skipIf(!canRun)("a running weir", () => {
  test("has every metric and every label that rules and dashboard speak of", async () => {
    await using it = await monitored();
    await it.traffic();
    const variables = dashboard.templating.list.flatMap((each) =>
      typeof each.query === "object" ? [each.query.query] : [],
    );
    const texts = [
      ...rules.map((rule) => ({ expr: rule.slice(0, rule.indexOf("annotations")), says: rule })),
      ...queries.map(({ expr, legendFormat }) => ({ expr, says: legendFormat })),
      ...variables.map((expr) => ({ expr, says: "" })),
    ];
    const speaking = texts.filter(({ expr }) => usesOf(expr).length > 0);
    expect(texts.length - speaking.length, "only `up` is no metric of weir's").toBe(1);
    // What is counted of a connection is there a moment after it has ended.
    const missing = async () => {
      const metrics = metricsOf(await (await fetch(`http://${it.admin}/metrics`)).text());
      return speaking.flatMap(({ expr, says }) =>
        usesOf(expr).flatMap(({ metric, labels }) => {
          const there = metrics.get(metric);
          if (!there) return [`${metric} in ${expr}`];
          const wanted = [...labels, ...filledIn(says)];
          return wanted.filter((label) => !there.has(label)).map((label) => `${label} of ${metric} in ${expr}`);
        }),
      );
    };
    let left = await missing();
    for (let looks = 0; left.length > 0 && looks < 100; looks++) left = await missing();
    expect(left).toEqual([]);
  });

  test.skipIf(!haveTool("prometheus"))("answers every question of the dashboard, asked by Prometheus", async () => {
    await using it = await monitored();
    await using prometheus = await prometheusFor(it.admin);
    const ask = async (expr: string) => {
      const url = `http://127.0.0.1:${prometheus.ports[0]}/api/v1/query?query=${encodeURIComponent(expr)}`;
      return (await (await fetch(url)).json()) as { status: string; error?: string; data?: { result: unknown[] } };
    };
    for (const { expr } of queries) {
      const concrete = expr.replaceAll("$__rate_interval", "10s").replaceAll(/\$(job|instance|proxy)\b/g, ".*");
      // What shows only what is above nothing, or what is down, may have nothing to show.
      const mayBeEmpty = concrete.includes("> 0");
      for (let looks = 0; ; looks++) {
        const { status, error, data } = await ask(concrete);
        expect({ expr, status, error }).toEqual({ expr, status: "success", error: undefined });
        if (mayBeEmpty || (data?.result.length ?? 0) > 0) break;
        if (looks > 1_000) throw new Error(`nothing ever came of ${concrete}`);
        await it.traffic();
      }
    }
  });
});

/** A Prometheus that scrapes this weir ten times a second, with the rules of the example. */
async function prometheusFor(admin: string): Promise<Daemon> {
  const [config, alerts] = await Promise.all(
    ["prometheus.yml", "alerts.yml"].map((name) => Bun.file(join(FOLDER, name)).text()),
  );
  const often = config?.replaceAll("15s", "100ms").replace("127.0.0.1:8998", admin) ?? "";
  return await Daemon.start({
    ports: 1,
    async prepare([port], directory) {
      writeFileSync(join(directory, "prometheus.yml"), often);
      writeFileSync(join(directory, "alerts.yml"), alerts ?? "");
      const files = [`--config.file=${directory}/prometheus.yml`, `--storage.tsdb.path=${directory}/data`];
      return ["prometheus", ...files, `--web.listen-address=127.0.0.1:${port}`];
    },
    ready: async ([port]) => (await fetch(`http://127.0.0.1:${port}/-/ready`).catch(() => undefined))?.ok === true,
  });
}
