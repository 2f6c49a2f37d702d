/** What is in `deploy/kubernetes`: its configuration is one, and its probes ask for what weir answers. */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VERSION } from "../../src/version.ts";
import { Weir } from "../e2e/weir.ts";

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec: Readonly<Record<string, unknown>>;
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly securityContext: object;
}

interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: object;
  readonly containers: readonly [Container];
}

const FOLDER = join(import.meta.dir, "../../deploy/kubernetes");
const manifests = await read("weir.yaml");
const [monitor] = (await read("podmonitor.yaml")) as [Manifest];
const toml = of("ConfigMap").data?.["weir.toml"] ?? "";
const { spec: pod } = of("Deployment").spec["template"] as { readonly spec: Pod };
const [container] = pod.containers;

async function read(file: string): Promise<readonly Manifest[]> {
  const parsed = Bun.YAML.parse(await Bun.file(join(FOLDER, file)).text()) as Manifest | Manifest[];
  return Array.isArray(parsed) ? parsed : [parsed];
}

function of(kind: string): Manifest {
  const found = manifests.find((each) => each.kind === kind);
  if (!found) throw new Error(`there is no ${kind}`);
  return found;
}

const portOf = (name: string) => container.ports.find((port) => port.name === name)?.containerPort;

test("all there is has one name, and this version", () => {
  expect(manifests.map(({ kind }) => kind)).toEqual(["ConfigMap", "Deployment", "Service", "PodDisruptionBudget"]);
  expect([...new Set(manifests.map(({ metadata }) => metadata.name))]).toEqual(["weir"]);
  expect(container.image).toBe(`weir:${VERSION}`);
});

test("weir check takes the configuration, and its ports are those of the container", async () => {
  const folder = mkdtempSync(join(tmpdir(), "weir-kubernetes-"));
  const file = join(folder, "weir.toml");
  writeFileSync(file, toml);
  const { code, out } = await Weir.run("check", file);
  expect(code).toBe(0);
  expect(out).toContain(`0.0.0.0:${portOf("app")} -> dns://app.default.svc.cluster.local:8080`);
  expect(out).toContain(`metrics 0.0.0.0:${portOf("admin")}`);
  rmSync(folder, { recursive: true });
});

test("a pod has time for its sleep, the grace period, and an end", () => {
  const grace = Number(/grace = "(\d+)s"/.exec(toml)?.[1]);
  const { seconds } = container.lifecycle.preStop.sleep;
  expect(seconds).toBeGreaterThan(0);
  expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(seconds + grace);
});

test("it asks for no right that it does not need", () => {
  expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
  expect(container.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  });
});

test("probes and the monitor find what they ask for", async () => {
  const folder = mkdtempSync(join(tmpdir(), "weir-kubernetes-"));
  const file = join(folder, "weir.toml");
  const echo = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const here = toml
    .replace("0.0.0.0:8998", "127.0.0.1:0")
    .replace("0.0.0.0:8080", "127.0.0.1:0")
    .replace("dns://app.default.svc.cluster.local:8080", `127.0.0.1:${echo.port}`);
  writeFileSync(file, here);
  await using weir = await Weir.start(container.args.map((arg) => (arg === "/etc/weir/weir.toml" ? file : arg)));
  const line = await weir.stdout.next((text) => text.includes('"event":"metrics"'));
  const base = `http://${JSON.parse(line).address}`;
  for (const { httpGet } of [container.startupProbe, container.readinessProbe, container.livenessProbe]) {
    expect(httpGet.port).toBe("admin");
    expect((await fetch(`${base}${httpGet.path}`)).status).toBe(200);
  }
  const [endpoint] = monitor.spec["podMetricsEndpoints"] as [{ readonly port: string; readonly path: string }];
  expect(portOf(endpoint.port)).toBe(8998);
  expect(await (await fetch(`${base}${endpoint.path}`)).text()).toContain("weir_connections_active");
  weir.signal("SIGTERM");
  expect(await weir.exit()).toBe(0);
  echo.stop(true);
  rmSync(folder, { recursive: true });
});
