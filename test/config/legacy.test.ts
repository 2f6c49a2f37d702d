/** Files of the programs that weir replaces, and files that are a bit of several. */
import { describe, expect, test } from "bun:test";
import { DEFAULTS, plainTarget } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { plainObserver } from "../../src/observe/observer-config.ts";
import { problems } from "./problems.ts";

const CLONE = `[[tcp_clone]]
[tcp_clone.server]
listen_addr = "0.0.0.0:5200"
[tcp_clone.target]
addr = "127.0.0.1:5201"
`;

describe("a file of tcp-clone", () => {
  test("is read as one proxy for each table", () => {
    const second = CLONE.replace("5200", "5300").replace("127.0.0.1:5201", "example.com:80");
    expect(loadConfig(CLONE + second, "clone.toml")).toEqual({
      admin: { listen: { kind: "tcp", host: "127.0.0.1", port: 8998 }, explicit: false, tokenEnv: null },
      log: DEFAULTS.log,
      engine: DEFAULTS.engine,
      shutdown: DEFAULTS.shutdown,
      toxiproxy: null,
      seed: null,
      bridges: [],
      proxies: [
        {
          ...DEFAULTS.proxy,
          name: "proxy-1",
          listen: { kind: "tcp", host: "0.0.0.0", port: 5200 },
          targets: [plainTarget({ kind: "tcp", host: "127.0.0.1", port: 5201 })],
        },
        {
          ...DEFAULTS.proxy,
          name: "proxy-2",
          listen: { kind: "tcp", host: "0.0.0.0", port: 5300 },
          targets: [plainTarget({ kind: "tcp", host: "example.com", port: 80 })],
        },
      ],
    });
  });

  test.each([
    ["observer", "upstream"],
    ["client_tx_observer", "upstream"],
    ["client_rx_observer", "downstream"],
  ] as const)("may have any number of observers: %s gets what goes %s", (kind, copies) => {
    const table = (port: number) => `[[tcp_clone.${kind}]]\naddr = "127.0.0.1:${port}"\n`;
    const [proxy] = loadConfig(`${CLONE}${table(5202)}${table(5203)}`, "tcp-clone.toml").proxies;
    const observer = (port: number) => ({ ...plainObserver({ kind: "tcp", host: "127.0.0.1", port }), copies });
    expect(proxy?.observers).toEqual([observer(5202), observer(5203)]);
  });

  test("cannot copy to where it listens", () => {
    const text = `${CLONE}[[tcp_clone.client_rx_observer]]\naddr = "127.0.0.1:5200"\n`;
    expect(problems(text)).toEqual([
      "7:8: tcp_clone[0].client_rx_observer[0].addr: 127.0.0.1:5200 is where this proxy listens: each copy would be copied again",
    ]);
  });

  test("is checked like any other", () => {
    const text = `${CLONE.replace("0.0.0.0:5200", "0.0.0.0").replace("127.0.0.1:5201", "127.0.0.1:0")}
[[tcp_clone.observer]]
adr = "127.0.0.1:5202"
[[tcp_clone]]
server = { listen_adr = 1, name = "x" }
`;
    expect(problems(text)).toEqual([
      '3:15: tcp_clone[0].server.listen_addr: Cannot parse address "0.0.0.0": the port is missing; write "0.0.0.0:PORT"',
      '5:8: tcp_clone[0].target.addr: Cannot parse address "127.0.0.1:0": port 0 cannot be connected to; use 1 to 65535',
      '8:1: tcp_clone[0].observer[0].adr: unknown key "adr"; did you mean "addr"?',
      '9:1: tcp_clone[1].target: the key "target" is missing',
      '10:12: tcp_clone[1].server.listen_adr: unknown key "listen_adr"; did you mean "listen_addr"?',
      '10:28: tcp_clone[1].server.name: unknown key "name"; the keys here are listen_addr',
    ]);
  });

  test.each([
    ["[tcp_clone]", "1:1: tcp_clone: expected tables written [[tcp_clone]], found a table"],
    ["[[tcp-clone]]", '1:3: tcp-clone: unknown key "tcp-clone"; did you mean "tcp_clone"?'],
    [
      "tcp_clone = []",
      "1:1: there is nothing to run; add [[proxy]] or [[mux]] with listen and target, or [[udp]] with from and to",
    ],
    [`${CLONE}x = 1`, '6:1: tcp_clone[0].target.x: unknown key "x"; the keys here are addr'],
    [
      CLONE.replace("5201", "5200"),
      "5:8: tcp_clone[0].target.addr: the target 127.0.0.1:5200 leads back to the proxy itself, which listens on 0.0.0.0:5200; change one of them",
    ],
    [
      CLONE + CLONE,
      '8:15: tcp_clone[1].server.listen_addr: 0.0.0.0:5200 is taken: proxy "proxy-1" already listens on 0.0.0.0:5200; use another address or port 0',
    ],
  ])("as wrong as %p is explained", (text, message) => {
    expect(problems(text)).toEqual([message]);
  });
});

describe("a file of basic-tcp-proxy", () => {
  test("needs no more than a target", () => {
    expect(loadConfig('target_addr = "example.com:80"', "proxy.toml")).toEqual({
      admin: { listen: { kind: "tcp", host: "127.0.0.1", port: 0 }, explicit: false, tokenEnv: null },
      log: { ...DEFAULTS.log, summaryInterval: 10_000 },
      engine: { mode: "auto", workers: "auto" },
      shutdown: { grace: 60_000 },
      toxiproxy: null,
      seed: null,
      bridges: [],
      proxies: [
        {
          ...DEFAULTS.proxy,
          name: "proxy-1",
          listen: { kind: "tcp", host: "127.0.0.1", port: 0 },
          targets: [plainTarget({ kind: "tcp", host: "example.com", port: 80 })],
        },
      ],
    });
  });

  test("may set all it could", () => {
    const config = loadConfig(
      `listen_addr = "0.0.0.0:8080"
      target_addr = "127.0.0.1:9000"
      metrics_addr = "0.0.0.0:9090"
      grace_period_secs = 0
      metrics_log_interval_secs = 5
      channel_buffer_size = 1
      `,
      "proxy.toml",
    );
    expect(config.admin).toEqual({
      listen: { kind: "tcp", host: "0.0.0.0", port: 9090 },
      explicit: true,
      tokenEnv: null,
    });
    expect(config.log.summaryInterval).toBe(5_000);
    expect(config.shutdown.grace).toBe(0);
    expect(config.proxies[0]?.listen).toEqual({ kind: "tcp", host: "0.0.0.0", port: 8080 });
  });

  const target = 'target_addr = "127.0.0.1:9000"\n';
  const unset = "target_addr: target_addr must be set: nothing can listen on port 0";
  test.each([
    ['listen_addr = "127.0.0.1:8080"', `1:1: ${unset}`],
    ['target_addr = "127.0.0.1:0"', `1:15: ${unset}`],
    ['taget_addr = "127.0.0.1:9000"', '1:1: taget_addr: unknown key "taget_addr"; did you mean "target_addr"?'],
    [`${target}grace_period_secs = -1`, "2:21: grace_period_secs: expected a whole number from 0 to 2147483, found -1"],
    [
      `${target}grace_period_secs = 1.5`,
      "2:21: grace_period_secs: expected a whole number from 0 to 2147483, found 1.5",
    ],
    [
      `${target}grace_period_secs = "1s"`,
      '2:21: grace_period_secs: expected a whole number from 0 to 2147483, found "1s"',
    ],
    [
      `${target}listen_addr = "127.0.0.1:9000"`,
      "1:15: target_addr: the target 127.0.0.1:9000 leads back to the proxy itself, which listens on 127.0.0.1:9000; change one of them",
    ],
    [
      `${target}listen_addr = "127.0.0.1:80"\nmetrics_addr = "127.0.0.1:80"`,
      '3:16: metrics_addr: 127.0.0.1:80 is taken: proxy "proxy-1" already listens on 127.0.0.1:80; use another address or port 0',
    ],
  ])("as wrong as %p is explained", (text, message) => {
    expect(problems(text)).toEqual([message]);
  });
});

describe("a file of several formats", () => {
  test.each([
    [
      'listen_addr = "127.0.0.1:1"\n[[proxy]]',
      `2:3: proxy: "proxy" is a key of weir's files, "listen_addr" one of basic-tcp-proxy's; keep to one of them`,
    ],
    [
      `log.level = "info"\n${CLONE}`,
      `2:3: tcp_clone: "tcp_clone" is a key of tcp-clone's files, "log" one of weir's; keep to one of them`,
    ],
    [
      "[[mux]]\n[[tcp_clone]]",
      `2:3: tcp_clone: "tcp_clone" is a key of tcp-clone's files, "mux" one of weir's; keep to one of them`,
    ],
  ])("is refused: %p", (text, message) => {
    expect(problems(text)).toEqual([message]);
  });
});
