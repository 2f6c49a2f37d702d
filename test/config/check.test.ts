/** Contradictions between parts that are each all right. */
import { describe, expect, test } from "bun:test";
import { checkConfig } from "../../src/config/check.ts";
import { type AdminConfig, type Config, DEFAULTS, type ProxyConfig } from "../../src/config/config.ts";
import { formatPath } from "../../src/config/problem.ts";
import { parseAddress } from "../../src/net/address.ts";

describe("checkConfig", () => {
  test("has nothing to say about proxies that keep out of each other's way", () => {
    expect(messages(config(["a", "8001", "8002"], ["b", "127.0.0.2:8001", "10.0.0.1:8001"]))).toEqual([]);
  });

  test("wants a proxy", () => {
    expect(messages(config())).toEqual([": there is no proxy; add [[proxy]] with listen and target"]);
  });

  test("wants names to differ", () => {
    expect(messages(config(["a", "1", "9"], ["b", "2", "9"], ["a", "3", "9"], ["a", "4", "9"]))).toEqual([
      'proxy[2].name: the name "a" is already that of proxy[0]; choose another',
      'proxy[3].name: the name "a" is already that of proxy[0]; choose another',
    ]);
  });

  test.each([
    ["8080", "8080", "127.0.0.1:8080", "127.0.0.1:8080"],
    ["0.0.0.0:80", "127.0.0.1:80", "0.0.0.0:80", "127.0.0.1:80"],
    ["127.0.0.1:80", "0.0.0.0:80", "127.0.0.1:80", "0.0.0.0:80"],
    [":80", "[::1]:80", "[::]:80", "[::1]:80"],
    ["unix:/run/a", "unix:/run/a", "unix:/run/a", "unix:/run/a"],
  ])("refuses to listen on %p and %p at once", (first, second, taken, wanted) => {
    expect(messages(config(["a", first, "9"], ["b", second, "9"]))).toEqual([
      `proxy[1].listen: ${wanted} is taken: proxy "a" already listens on ${taken}; use another address or port 0`,
    ]);
  });

  test("lets any number of proxies take a free port", () => {
    expect(messages(config(["a", "0", "9"], ["b", "0", "9"], ["c", ":0", "9"]))).toEqual([]);
  });

  test("keeps the admin address apart, if somebody asked for it", () => {
    const { proxies, ...rest } = config(["a", "8998", "9"]);
    const admin: AdminConfig = { listen: parseAddress("8998", "listen"), explicit: true };
    expect(messages({ ...rest, proxies, admin })).toEqual([
      'admin.listen: 127.0.0.1:8998 is taken: proxy "a" already listens on 127.0.0.1:8998; use another address or port 0',
    ]);
    expect(messages({ ...rest, proxies, admin: { ...admin, explicit: false } })).toEqual([]);
    expect(messages({ ...rest, proxies, admin: { listen: null, explicit: true } })).toEqual([]);
  });

  test.each([
    ["8080", "8080", "127.0.0.1:8080", "127.0.0.1:8080"],
    [":8080", "localhost:8080", "[::]:8080", "localhost:8080"],
    ["127.0.0.1:80", "0.0.0.0:80", "127.0.0.1:80", "0.0.0.0:80"],
    ["[::1]:80", "[0:0::1]:80", "[::1]:80", "[0:0::1]:80"],
    ["unix:/run/a", "unix:/run/a", "unix:/run/a", "unix:/run/a"],
  ])("finds a proxy on %p that connects to itself as %p", (listen, target, here, there) => {
    expect(messages(config(["a", listen, target]))).toEqual([
      `proxy[0].target: the target ${there} leads back to the proxy itself, which listens on ${here}; change one of them`,
    ]);
  });

  test.each([
    ["0.0.0.0:80", "10.0.0.1:80"],
    ["0.0.0.0:80", "[::1]:80"],
    ["127.0.0.1:80", "127.0.0.2:80"],
    ["127.0.0.1:80", "127.example.com:80"],
    ["unix:/run/a", "unix:/run/A"],
  ])("lets a proxy on %p connect to %p", (listen, target) => {
    expect(messages(config(["a", listen, target]))).toEqual([]);
  });

  test("finds a circle of proxies once, at the first of them", () => {
    expect(messages(config(["in", "1", "2"], ["a", "2", "3"], ["b", "3", "4"], ["c", "4", "2"]))).toEqual([
      'proxy[1].target: connections would go in a circle: "a" -> "b" -> "c" -> "a"; change one of the targets',
    ]);
  });

  test("finds every circle", () => {
    expect(messages(config(["a", "1", "2"], ["b", "2", "1"], ["c", "3", "4"], ["d", "4", "3"]))).toEqual([
      'proxy[0].target: connections would go in a circle: "a" -> "b" -> "a"; change one of the targets',
      'proxy[2].target: connections would go in a circle: "c" -> "d" -> "c"; change one of the targets',
    ]);
  });

  test("takes no longer than a moment for a long chain", () => {
    const chain = Array.from({ length: 300 }, (_, i): Row => [`p${i}`, `${i + 1}`, `${i + 2}`]);
    expect(messages(config(...chain))).toEqual([]);
  });
});

type Row = [name: string, listen: string, target: string];

function config(...rows: Row[]): Config {
  const proxies = rows.map(([name, listen, target]): ProxyConfig => {
    const targets = [parseAddress(target, "target")];
    return { ...DEFAULTS.proxy, name, listen: parseAddress(listen, "listen"), targets };
  });
  return {
    admin: { listen: null, explicit: false },
    log: DEFAULTS.log,
    engine: DEFAULTS.engine,
    shutdown: DEFAULTS.shutdown,
    proxies,
  };
}

function messages(whole: Config): string[] {
  return checkConfig(whole).map(({ path, message }) => `${formatPath(path)}: ${message}`);
}
