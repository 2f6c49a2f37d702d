/** Contradictions between parts that are each all right. */
import { describe, expect, test } from "bun:test";
import { parseWindow } from "../../src/admit/schedule.ts";
import { checkConfig } from "../../src/config/check.ts";
import { type AdminConfig, type Config, DEFAULTS, type ProxyConfig, plainTarget } from "../../src/config/config.ts";
import { formatPath } from "../../src/config/problem.ts";
import { parseTargetOptions } from "../../src/config/target-options.ts";
import { parseAddress } from "../../src/net/address.ts";

describe("checkConfig", () => {
  test("has nothing to say about proxies that keep out of each other's way", () => {
    expect(messages(config(["a", "8001", "8002"], ["b", "127.0.0.2:8001", "10.0.0.1:8001"]))).toEqual([]);
  });

  test("wants something to run", () => {
    expect(messages(config())).toEqual([
      ": there is nothing to run; add [[proxy]] or [[mux]] with listen and target, or [[udp]] with from and to",
    ]);
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
    const admin: AdminConfig = { listen: parseAddress("8998", "listen"), explicit: true, tokenEnv: null };
    expect(messages({ ...rest, proxies, admin })).toEqual([
      'admin.listen: 127.0.0.1:8998 is taken: proxy "a" already listens on 127.0.0.1:8998; use another address or port 0',
    ]);
    expect(messages({ ...rest, proxies, admin: { ...admin, explicit: false } })).toEqual([]);
    expect(messages({ ...rest, proxies, admin: { listen: null, explicit: true, tokenEnv: null } })).toEqual([]);
  });

  test.each([
    ["8080", "8080", "127.0.0.1:8080", "127.0.0.1:8080"],
    [":8080", "localhost:8080", "[::]:8080", "localhost:8080"],
    ["127.0.0.1:80", "0.0.0.0:80", "127.0.0.1:80", "0.0.0.0:80"],
    ["[::1]:80", "[0:0::1]:80", "[::1]:80", "[0:0::1]:80"],
    ["unix:/run/a", "unix:/run/a", "unix:/run/a", "unix:/run/a"],
  ])("finds a proxy on %p that connects to itself as %p", (listen, target, here, there) => {
    expect(messages(config(["a", listen, target]))).toEqual([
      `proxy[0].targets[0]: the target ${there} leads back to the proxy itself, which listens on ${here}; change one of them`,
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
      'proxy[1].targets[0]: connections would go in a circle: "a" -> "b" -> "c" -> "a"; change one of the targets',
    ]);
  });

  test("finds every circle", () => {
    expect(messages(config(["a", "1", "2"], ["b", "2", "1"], ["c", "3", "4"], ["d", "4", "3"]))).toEqual([
      'proxy[0].targets[0]: connections would go in a circle: "a" -> "b" -> "a"; change one of the targets',
      'proxy[2].targets[0]: connections would go in a circle: "c" -> "d" -> "c"; change one of the targets',
    ]);
  });

  test("lets targets take turns, stand in for each other and drain", () => {
    const said = (...targets: string[]) => messages(withTargets("8001", targets));
    expect(said("1,weight=0", "2,backup")).toEqual([]);
    expect(said("1,weight=0", "2,weight=0", "3")).toEqual([]);
    expect(said("dns+srv://_a._tcp.b", "dns+srv://_c._tcp.b")).toEqual([]);
    // The name may stand for this proxy's own address: that is for DNS to say.
    expect(said("dns://localhost:8001")).toEqual([]);
    expect(said("1,weight=0,backup", "2,weight=0,backup")).toEqual([
      "proxy[0].targets: every target is a backup; leave backup out for one of them at least",
      "proxy[0].targets: every target has the weight 0, so that none gets a connection; give one of them more",
    ]);
  });

  test("knows a target in any spelling", () => {
    expect(messages(withTargets("unix:/x", ["[::1]:1", "[0::1]:1", "[::ffff:1.2.3.4]:1", "1.2.3.4:1"]))).toEqual([
      "proxy[0].targets[1]: the target [0::1]:1 is there twice; give it a weight instead",
      "proxy[0].targets[3]: the target 1.2.3.4:1 is there twice; give it a weight instead",
    ]);
    expect(messages(withTargets("unix:/x", ["dns://a:1", "a:1", "unix:a:1", "dns://a:2"]))).toEqual([]);
  });

  test("lets a unix socket have the rules that ask for no IP address", () => {
    const { proxies, ...rest } = withTargets("unix:/x", ["1"]);
    const [proxy] = proxies as [ProxyConfig];
    const rules = { maxConnections: 1, schedule: [parseWindow("Mon UTC")], queue: { size: 1, timeout: 0 } };
    expect(messages({ ...rest, proxies: [{ ...proxy, ...rules }] })).toEqual([]);
  });

  test("takes no longer than a moment for a long chain", () => {
    const chain = Array.from({ length: 300 }, (_, i): Row => [`p${i}`, `${i + 1}`, `${i + 2}`]);
    expect(messages(config(...chain))).toEqual([]);
  });
});

type Row = [name: string, listen: string, target: string];

function config(...rows: Row[]): Config {
  const proxies = rows.map(([name, listen, target]): ProxyConfig => {
    const targets = [plainTarget(parseAddress(target, "target"))];
    return { ...DEFAULTS.proxy, name, listen: parseAddress(listen, "listen"), targets };
  });
  return {
    admin: { listen: null, explicit: false, tokenEnv: null },
    log: DEFAULTS.log,
    engine: DEFAULTS.engine,
    shutdown: DEFAULTS.shutdown,
    toxiproxy: null,
    seed: null,
    proxies,
    bridges: [],
  };
}

/** One proxy; targets are written as on the command line. */
function withTargets(listen: string, targets: readonly string[]): Config {
  const { proxies, ...rest } = config(["a", listen, "1"]);
  return { ...rest, proxies: proxies.map((proxy) => ({ ...proxy, targets: targets.map(parseTargetOptions) })) };
}

function messages(whole: Config): string[] {
  return checkConfig(whole).map(({ path, message }) => `${formatPath(path)}: ${message}`);
}
