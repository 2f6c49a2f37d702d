/** What is said of bad targets, and of the [dns] that finds them. */
import { describe, expect, test } from "bun:test";
import { problems } from "./problems.ts";

describe("bad targets are explained:", () => {
  const dns = "write a name and a port, such as dns://db.internal:5432";
  const srv = "write a service, a protocol and a domain, without a port, such as dns+srv://_pg._tcp.db.internal";

  test.each<[string, string]>([
    ["[{ weight = 2 }]", '3:12: proxy[0].targets[0].address: the key "address" is missing'],
    [
      '[1, { address = "db" }]',
      '3:27: proxy[0].targets[1].address: Cannot parse address "db": the port is missing; write "db:PORT"',
    ],
    [
      "[{ address = true }]",
      '3:24: proxy[0].targets[0].address: expected an address such as "10.0.0.1:8080", found true',
    ],
    [
      "[{ address = 2, weight = 1001 }]",
      "3:36: proxy[0].targets[0].weight: expected a whole number from 0 to 1000, found 1001",
    ],
    ["[{ address = 2, backup = 1 }]", "3:36: proxy[0].targets[0].backup: expected true or false, found 1"],
    [
      "[{ address = 2, max_connections = -1 }]",
      "3:45: proxy[0].targets[0].max_connections: expected a whole number from 0 to 1000000, found -1",
    ],
    ["[{ address = 2, wieght = 2 }]", '3:27: proxy[0].targets[0].wieght: unknown key "wieght"; did you mean "weight"?'],
    // for whom
    [
      '[{ address = 2, sni = ["a.b", "*b"] }]',
      '3:41: proxy[0].targets[0].sni[1]: Cannot parse server name "*b": a wildcard stands for whole labels at the beginning, such as "*.example.com"',
    ],
    ["[{ address = 2, sni = 5 }]", "3:33: proxy[0].targets[0].sni: expected an array of host names, found 5"],
    [
      '[{ address = 2, alpn = ["h 2"] }]',
      '3:35: proxy[0].targets[0].alpn[0]: Cannot parse ALPN protocol "h 2": a protocol has 1 to 255 visible ASCII characters and no comma, such as "h2" or "http/1.1"',
    ],
    [
      "[{ address = 2, sni = [] }]",
      "3:33: proxy[0].targets[0].sni: the target 127.0.0.1:2 is for nobody; leave sni out if it is for everybody",
    ],
    [
      '[{ address = 2, sni = ["a.b", "A.b."] }]',
      '3:41: proxy[0].targets[0].sni[1]: "a.b" is there twice for the target 127.0.0.1:2; keep one',
    ],
    [
      '[{ address = 2, sni = ["a.b"] }, { address = 2, sni = ["c.b"] }]',
      "3:44: proxy[0].targets[1]: the target 127.0.0.1:2 is there twice; write all its names and protocols into one",
    ],
    // DNS
    ['["dns://db.internal"]', `3:12: proxy[0].targets[0]: Cannot parse address "dns://db.internal": ${dns}`],
    [
      '[{ address = "dns://db:0" }]',
      '3:24: proxy[0].targets[0].address: Cannot parse address "dns://db:0": port 0 cannot be connected to; use 1 to 65535',
    ],
    [
      '["dns://10.0.0.1:80"]',
      '3:12: proxy[0].targets[0]: Cannot parse address "dns://10.0.0.1:80": "10.0.0.1" is an address already; leave "dns://" out',
    ],
    [
      '["dns+srv://db.internal:5432"]',
      `3:12: proxy[0].targets[0]: Cannot parse address "dns+srv://db.internal:5432": ${srv}`,
    ],
    // the whole
    [
      '["a:1", "b:1", { address = "A:1" }]',
      "3:26: proxy[0].targets[2]: the target A:1 is there twice; give it a weight instead",
    ],
    [
      '["dns://a:1", "dns://A:1"]',
      "3:25: proxy[0].targets[1]: the target dns://A:1 is there twice; give it a weight instead",
    ],
    [
      "[{ address = 2, backup = true }, { address = 3, backup = true }]",
      "3:11: proxy[0].targets: every target is a backup; leave backup out for one of them at least",
    ],
    [
      "[{ address = 2, weight = 0 }, { address = 3, weight = 0 }]",
      "3:11: proxy[0].targets: every target has the weight 0, so that none gets a connection; give one of them more",
    ],
    [
      '[{ address = "dns+srv://_a._tcp.b", weight = 0 }]',
      "3:56: proxy[0].targets[0].weight: DNS gives the weights of what is behind dns+srv://_a._tcp.b; leave weight out",
    ],
    [
      '["a:1", { address = 8080 }]',
      "3:19: proxy[0].targets[1]: the target 127.0.0.1:8080 leads back to the proxy itself, which listens on 127.0.0.1:8080; change one of them",
    ],
  ])("%s", (targets, message) => {
    expect(problems(`[[proxy]]\nlisten = 8080\ntargets = ${targets}`)).toEqual([message]);
  });

  test.each<[string, string]>([
    ["dns://", `Cannot parse address "dns://": ${dns}`],
    ["dns+srv://", `Cannot parse address "dns+srv://": ${srv}`],
  ])("target = %p", (target, message) => {
    expect(problems(`[[proxy]]\nlisten = 8080\ntarget = "${target}"`)).toEqual([`3:10: proxy[0].target: ${message}`]);
  });

  test("written as tables of their own", () => {
    const text = "[[proxy]]\nlisten = 1\n[[proxy.targets]]\naddress = 2\n[[proxy.targets]]\naddress = 1\n";
    expect(problems(text)).toEqual([
      "5:1: proxy[0].targets[1]: the target 127.0.0.1:1 leads back to the proxy itself, which listens on 127.0.0.1:1; change one of them",
    ]);
  });

  test("that lead in a circle, at the one that does", () => {
    const text = "[[proxy]]\nlisten = 1\ntargets = [9, 2]\n[[proxy]]\nlisten = 2\ntarget = 1\n";
    expect(problems(text)).toEqual([
      '3:15: proxy[0].targets[1]: connections would go in a circle: "proxy-1" -> "proxy-2" -> "proxy-1"; change one of the targets',
    ]);
  });
});

describe("a bad [dns] is explained:", () => {
  const zero = 'it is zero; write more, such as "1s"';

  test.each<[string, string]>([
    ['servers = "8.8.8.8:53"', '2:11: dns.servers: expected an array of addresses, found "8.8.8.8:53"'],
    [
      'servers = ["8.8.8.8"]',
      '2:12: dns.servers[0]: Cannot parse address "8.8.8.8": the port is missing; write "8.8.8.8:PORT"',
    ],
    [
      'servers = ["10.0.0.1:53", "ns.internal:53"]',
      '2:27: dns.servers[1]: Cannot parse address "ns.internal:53": write an IP address and a port, such as 10.0.0.1:53',
    ],
    ["servers = [true]", '2:12: dns.servers[0]: expected an IP address and a port such as "10.0.0.1:53", found true'],
    ['interval = "0s"', `2:12: dns.interval: Cannot parse duration "0s": ${zero}`],
    ["interval = true", '2:12: dns.interval: expected a duration such as "5s", found true'],
    ["timeout = 0", `2:11: dns.timeout: Cannot parse duration "0": ${zero}`],
    ['server = "a"', '2:1: dns.server: unknown key "server"; did you mean "servers"?'],
  ])("%s", (line, message) => {
    expect(problems(`[dns]\n${line}\n[[proxy]]\nlisten = 1\ntarget = "dns://db.internal:5432"\n`)).toEqual([message]);
  });
});
