/** Files of all sorts: whatever they hold, a configuration or a ConfigError comes out, never another exception. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { stringify } from "smol-toml";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigError } from "../../src/config/problem.ts";

describe("whatever is in a file", () => {
  test("only ConfigError comes out of arbitrary text", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.string({ unit: tomlish() })), onlyConfigError), { numRuns: 500 });
  });

  test("only ConfigError comes out of arbitrary values under known keys", () => {
    const key = fc.constantFrom(
      ...["admin", "log", "proxy", "listen", "target", "targets", "timeouts", "idle", "buffer", "level", "observer"],
      ...["dns", "servers", "health", "http", "status", "queue", "rate", "connections_per_source", "burst", "schedule"],
      ...["proxy_protocol", "accept_from", "weight", "address", "balance", "allow_file", "max_connections"],
      ...["mux", "protocol", "delimiter", "length", "width", "in_flight", "max_message", "match"],
      ...["tcp_clone", "server", "listen_addr", "target_addr", "grace_period_secs", "constructor", "__proto__", "x"],
    );
    const leaf = fc.oneof(
      fc.constantFrom(
        "off",
        "5s",
        "1KiB",
        "a:1",
        "unix:/a",
        "dns://a:1",
        "Mon UTC",
        "1/s",
        "::1",
        0,
        8080,
        -1,
        1.5,
        true,
        Number.NaN,
      ),
      fc.string(),
      fc.date({ noInvalidDate: true, min: new Date("1000-01-01"), max: new Date("3000-01-01") }),
    );
    const { table } = fc.letrec<{ table: Record<string, unknown>; value: unknown }>((tie) => ({
      table: fc.dictionary(key, tie("value"), { maxKeys: 5 }),
      value: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie("table")), fc.array(leaf), tie("table")),
    }));
    fc.assert(
      fc.property(table, (value) => onlyConfigError(stringify(value))),
      { numRuns: 500 },
    );
  });

  test("nesting as deep as it gets is no exception", () => {
    onlyConfigError(`a = ${"[".repeat(50_000)}`);
    onlyConfigError(`a = ${"[".repeat(900)}${"]".repeat(900)}`);
    onlyConfigError(`${Array(5_000).fill("a").join(".")} = 1`);
  });
});

function tomlish(): fc.Arbitrary<string> {
  return fc.constantFrom(
    ...["[", "]", "[[", "]]", "{", "}", "=", ".", ",", '"', "'", '"""', "\n", "\r\n", "#", " ", "\\", "\ufeff", "\0"],
    ...["proxy", "listen", "target", "listen_addr", "tcp_clone", "1", "_", "-", "1979-05-27", "true", "é", "\ud800"],
  );
}

function onlyConfigError(text: string): void {
  try {
    loadConfig(text, "weir.toml");
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    if (!(error instanceof ConfigError)) return;
    expect(error.problems.length).toBeGreaterThan(0);
    expect(error.message.split("\n")).toHaveLength(error.problems.length);
  }
}
