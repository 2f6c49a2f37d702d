/** The JSON Schema of files: it takes what weir takes, and refuses what can be seen to be wrong. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv, { type ValidateFunction } from "ajv";
import fc from "fast-check";
import { FORMATS as NAMES } from "../../src/cli/command.ts";
import { fileJsonSchema } from "../../src/cli/commands/schema.ts";
import { loadConfig } from "../../src/config/load.ts";
import { parseToml } from "../../src/config/toml.ts";
import { formatDuration, parseDuration, parseSize } from "../../src/config/units.ts";
import { loadScenarios } from "../../src/load/scenario-file.ts";

const ROOT = join(import.meta.dir, "../..");
const EXAMPLES = join(ROOT, "examples");

/** By the name of the file in which it is, for editors. */
const SCHEMAS: Readonly<Record<string, (typeof NAMES)[number]>> = {
  "weir.schema.json": "weir",
  "tcp-clone.schema.json": "tcp-clone",
  "proxy.schema.json": "basic-tcp-proxy",
};

const validators = new Map(NAMES.map((name) => [name as string, compile(name)]));

function compile(format: (typeof NAMES)[number]): ValidateFunction {
  const ajv = new Ajv({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true });
  return ajv.compile(fileJsonSchema(format));
}

/** What an editor would underline: place and message. */
function complaints(toml: string, format = "weir"): string[] {
  const result = parseToml(toml);
  if (!result.ok) throw new Error(result.message);
  const validate = validators.get(format);
  if (!validate) throw new Error(format);
  validate(result.table);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

describe("the examples", () => {
  test.each(Object.entries(SCHEMAS))("%s is what weir schema prints", (file, format) => {
    const text = readFileSync(join(EXAMPLES, file), "utf8");
    // When this fails: weir schema FORMAT > examples/FILE
    expect(text).toBe(`${JSON.stringify(fileJsonSchema(format), undefined, 2)}\n`);
  });

  const files = readdirSync(EXAMPLES).filter((file) => file.endsWith(".toml"));
  const configurations = files.filter((file) => loads(readFileSync(join(EXAMPLES, file), "utf8")));

  test("there are some", () => {
    expect(configurations).toContain("weir.toml");
  });

  test.each(configurations)("%s names its schema, and fits it", (file) => {
    const text = readFileSync(join(EXAMPLES, file), "utf8");
    const [, schema = ""] = /^#:schema \.\/(\S+)\n/.exec(text) ?? [];
    expect(Object.keys(SCHEMAS)).toContain(schema);
    expect(complaints(text, SCHEMAS[schema])).toEqual([]);
  });
});

describe("the blocks of the README", () => {
  const blocks = [...readFileSync(join(ROOT, "README.md"), "utf8").matchAll(/^```toml\n(.*?)^```$/gms)]
    .map(([, text = ""]) => (text.startsWith("[[proxy.") ? `[[proxy]]\nlisten = 1\ntarget = 2\n${text}` : text))
    .filter(loads);

  test("there are some", () => {
    expect(blocks.length).toBeGreaterThan(3);
  });

  test.each(blocks)("%s", (text) => {
    expect(complaints(text)).toEqual([]);
  });
});

/** A `[[proxy]]` with one more line. */
const proxy = (line: string) => `[[proxy]]\nlisten = 1\ntarget = 2\n${line}\n`;

test("scenarios of the README fit theirs", () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const blocks = [...readme.matchAll(/^```toml\n([^`]*\[\[scenarios\]\].*?)^```$/gms)].map(([, text = ""]) => text);
  expect(blocks.length).toBeGreaterThan(0);
  for (const text of blocks) {
    expect(() => loadScenarios(text, "load.toml")).not.toThrow();
    expect(complaints(text, "scenarios")).toEqual([]);
  }
});

describe("what is wrong", () => {
  test.each<[string, string]>([
    ["[lgo]", " must NOT have additional properties"],
    ["seed = 1.5", "/seed must be integer"],
    ["seed = -1", "/seed must be >= 0"],
    ['log.level = "loud"', "/log/level must be equal to one of the allowed values"],
    ['log.summary_interval = "10"', "/log/summary_interval must match pattern"],
    ["log.summary_interval = 10", "/log/summary_interval must be <= 0"],
    ['shutdown.grace = "off"', "/shutdown/grace must match pattern"],
    ["engine.workers = 0", "/engine/workers must be >= 1"],
    ['admin.listen = "here"', "/admin/listen must match pattern"],
    ["admin.listen = 70000", "/admin/listen must be <= 65535"],
    ["[[proxy]]\nlisten = 1", "/proxy/0 must match exactly one schema in oneOf"],
    [proxy("targets = [3]"), "/proxy/0 must match exactly one schema in oneOf"],
    ["[[proxy]]\ntarget = 1", "/proxy/0 must have required property 'listen'"],
    ["[[proxy]]\nlisten = 1\ntargets = []", "/proxy/0/targets must NOT have fewer than 1 items"],
    ["[proxy]\nlisten = 1\ntarget = 2", "/proxy must be array"],
    [proxy('buffer = "1 KiB"'), "/proxy/0/buffer must match pattern"],
    [proxy('balance = "fastest"'), "/proxy/0/balance must be equal to one of the allowed values"],
    [proxy('health.interval = "0"'), "/proxy/0/health/interval must match pattern"],
    [proxy('allow = ["all"]'), "/proxy/0/allow/0 must match pattern"],
    [proxy('rate.connections_per_source = "20"'), "/proxy/0/rate/connections_per_source must match pattern"],
    [proxy('filter = [{ type = "replace", rate = "1MB/s" }]'), "/proxy/0/filter/0 property name must be valid"],
    [proxy('filter = [{ find = "x" }]'), "/proxy/0/filter/0 must have required property 'type'"],
    [proxy('fault = [{ type = "latency" }]'), "/proxy/0/fault/0 must have required property 'latency'"],
    [proxy('fault = [{ type = "down", latency = 1 }]'), "/proxy/0/fault/0 property name must be valid"],
    [proxy('fault = [{ type = "down", toxicity = 2 }]'), "/proxy/0/fault/0/toxicity must be <= 1"],
    [proxy("tls = {}"), "/proxy/0/tls must have required property 'certificates'"],
    [
      `[[mux]]\nlisten = 1\ntarget = 2\nlength.width = 5`,
      "/mux/0/length/width must be equal to one of the allowed values",
    ],
    ['[[udp]]\nfrom = "udp://:1"', "/udp/0 must have required property 'to'"],
    ['[[udp]]\nfrom = []\ntee = "-"', "/udp/0/from must NOT have fewer than 1 items"],
  ])("%p", (text, message) => {
    expect(complaints(text).some((each) => each.startsWith(message))).toBe(true);
    expect(() => loadConfig(text, "weir.toml")).toThrow();
  });

  test.each<[string, string, string]>([
    ["tcp-clone", '[[tcp_clone]]\nserver.listen_addr = "a:1"', "/tcp_clone/0 must have required property 'target'"],
    ["scenarios", "scenarios = []", "/scenarios must NOT have fewer than 1 items"],
    ["scenarios", '[[scenarios]]\nname = "a"\nduration_secs = 0', "/scenarios/0/duration_secs must be >= 0.001"],
    ["basic-tcp-proxy", "grace_period_secs = -1", "/grace_period_secs must be >= 0"],
    ["basic-tcp-proxy", 'target = "a:1"', " must NOT have additional properties"],
  ])("of %s: %p", (format, text, message) => {
    expect(complaints(text, format)).toContain(message);
  });
});

describe("what is right", () => {
  const listens = ["8080", '":0"', '"127.0.0.1:8080"', '"[::1]:80"', '"TCP://a.b:1"', '"unix:@x"', '"udp://:53"'];
  test.each(listens)("listen = %s", (value) => fits(`[[proxy]]\nlisten = ${value}\ntarget = 2`));

  const targets = [
    '"dns://db.internal:5432"',
    '"dns+srv://_pg._tcp.db.internal"',
    '"tls://10.0.0.1:443"',
    '"unix:/run/a b"',
    '":80"',
  ];
  test.each(targets)("target = %s", (value) => fits(`[[proxy]]\nlisten = 1\ntarget = ${value}`));

  const routes = [
    '"udp://10.0.0.5@232.1.2.3:9920%eth0"',
    '"[ff02::1]:9920%*"',
    '["listen://unix:/run/x", "file:/var/tmp/a.log", "fd:0", "9920"]',
  ];
  test.each(routes)("from = %s", (value) => fits(`[[udp]]\nfrom = ${value}\nto = "udp://127.0.0.1:1"`));

  test.each([
    'timeouts = { idle = "off", connect = "1.5s", fin = 0, lifetime = "0" }',
    "buffer = 4096",
    'allow = ["10.0.0.0/8", "::1", "fd00::/8"]\nsource = "::1"',
    'schedule = ["Mon-Fri 08:00-18:00 Europe/Berlin", "Sat", "22:00-06:00"]',
    'fault = [{ type = "latency", latency = "100ms", after = { bytes = "1MB", time = 250 } }]',
    'filter = [{ type = "script", path = "a.ts", options = { deep = { er = 1 } } }, { type = "limit", rate = "1.5KiB/s" }]',
    `target_tls = { pin = "${"ab".repeat(32)}" }`,
    `target_tls = { pin = ["${"ab".repeat(32)}"] }`,
  ])("%s", (line) =>
    fits(proxy(line).replace("target = 2", line.startsWith("target_tls") ? 'target = "tls://a:1"' : "target = 2")),
  );

  test("every duration and every size that weir reads", () => {
    const durations = fc.oneof(
      fc.nat(2_000_000_000).map(formatDuration),
      fc
        .tuple(fc.nat(1_000), fc.nat(99), fc.constantFrom("s", "m", "h"))
        .map(([whole, part, unit]) => `${whole}.${part}${unit}`),
    );
    const sizes = fc.tuple(fc.nat(99_999), fc.constantFrom("", "B", "KB", "MB", "GB", "KiB", "MiB", "GiB"));
    fc.assert(
      fc.property(durations, sizes, (duration, [amount, unit]) => {
        fc.pre(reads(() => parseDuration(duration)) && reads(() => parseSize(`${amount}${unit}`)));
        expect(complaints(`shutdown.grace = "${duration}"\n${proxy(`buffer = "${amount}${unit}"`)}`)).toEqual([]);
      }),
    );
  });
});

test("every key is explained", () => {
  const bare = NAMES.flatMap((name) => unexplained(fileJsonSchema(name), name));
  expect(bare).toEqual([]);
});

/** Of keys, those that editors can say nothing of. */
function unexplained(schema: unknown, at: string): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { properties, items, anyOf = [] } = schema as { properties?: object; items?: unknown; anyOf?: unknown[] };
  const own = Object.entries(properties ?? {}).flatMap(([key, value]: [string, { description?: string }]) => [
    ...(value.description ? [] : [`${at}.${key}`]),
    ...unexplained(value, `${at}.${key}`),
  ]);
  return [...own, ...unexplained(items, at), ...anyOf.flatMap((each) => unexplained(each, at))];
}

function fits(text: string): void {
  expect(() => loadConfig(text, "weir.toml")).not.toThrow();
  expect(complaints(text)).toEqual([]);
}

function loads(text: string): boolean {
  return reads(() => loadConfig(text, "weir.toml"));
}

function reads(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch {
    return false;
  }
}
