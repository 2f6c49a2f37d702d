/** What is said of a bad [[proxy]]: of every key but those about targets, for which there is messages-targets.test.ts. */
import { describe, expect, test } from "bun:test";
import { problems } from "./problems.ts";

/** Lines 1 to 3 of each file. */
const PROXY = '[[proxy]]\nlisten = 8080\ntarget = "10.0.0.1:80"\n';
const UNIX = PROXY.replace("8080", '"unix:/run/x"');

describe("a bad [[proxy]] is explained:", () => {
  const count = "expected a whole number from 0 to 1000000";
  const times = "expected a whole number from 1 to 1000";
  const form = 'write a number and a unit (ms, s, m, h, d), such as "5s" or "1.5h"';
  const balances = '"round_robin", "least_connections", "random_two", "source_hash" or "first"';
  const unit = 'Cannot parse duration "5": the unit is missing; write "5s" or "5ms"';
  const zero = 'it is zero; write more, such as "1s"';
  const versions = 'expected "off", "v1" or "v2"';

  test.each<[string, string]>([
    // choosing a target
    ['balance = "random"', `4:11: proxy[0].balance: expected ${balances}, found "random"`],
    [
      'balance = "source-hash"',
      `4:11: proxy[0].balance: expected ${balances}, found "source-hash"; did you mean "source_hash"?`,
    ],
    ["slow_start = 5", `4:14: proxy[0].slow_start: ${unit}`],
    ["slow_start = true", '4:14: proxy[0].slow_start: expected a duration such as "5s", or "off", found true'],
    ['none_healthy = "all"', '4:16: proxy[0].none_healthy: expected "refuse" or "try_all", found "all"'],
    // health checks
    ["health = true", "4:10: proxy[0].health: expected a table, found true"],
    ['health.interval = "0s"', `4:19: proxy[0].health.interval: Cannot parse duration "0s": ${zero}`],
    ['health.interval = "off"', `4:19: proxy[0].health.interval: Cannot parse duration "off": ${form}`],
    ["health.timeout = 0", `4:18: proxy[0].health.timeout: Cannot parse duration "0": ${zero}`],
    ["health.rise = 0", `4:15: proxy[0].health.rise: ${times}, found 0`],
    ["health.fall = 1.5", `4:15: proxy[0].health.fall: ${times}, found 1.5`],
    ["health.fall = 1001", `4:15: proxy[0].health.fall: ${times}, found 1001`],
    ['health.send = ""', "4:15: proxy[0].health.send: it is empty; leave it out"],
    ['health.expect = ["+PONG"]', "4:17: proxy[0].health.expect: expected a string, found an array"],
    ['health.expect = ""', "4:17: proxy[0].health.expect: it is empty; leave it out"],
    ["health.http = true", '4:15: proxy[0].health.http: expected a path such as "/healthz", found true'],
    ['health.http = "healthz"', '4:15: proxy[0].health.http: it is no path; write one such as "/healthz"'],
    ['health.http = "/a b"', '4:15: proxy[0].health.http: it is no path; write one such as "/healthz"'],
    ["health.status = 200", "4:17: proxy[0].health.status: expected an array of numbers, found 200"],
    [
      'health = { http = "/", status = [200, 99] }',
      "4:39: proxy[0].health.status[1]: expected a whole number from 100 to 599, found 99",
    ],
    [
      "health.port = 80",
      '4:8: proxy[0].health.port: unknown key "port"; the keys here are interval, timeout, rise, fall, send, expect, http, status',
    ],
    [
      'health = { http = "/", send = "x" }',
      "4:19: proxy[0].health.http: health checks have either http, or send and expect; keep one of the two",
    ],
    [
      '[proxy.health]\nexpect = "x"\nhttp = "/"',
      "6:8: proxy[0].health.http: health checks have either http, or send and expect; keep one of the two",
    ],
    [
      "health.status = [200]",
      '4:17: proxy[0].health.status: health checks see a status over HTTP alone; add http = "/…" or leave status out',
    ],
    // who is let in
    ['allow_file = ["a.txt"]', "4:14: proxy[0].allow_file: expected the name of a file, found an array"],
    ['allow_file = ""', "4:14: proxy[0].allow_file: the name is empty; write that of a file"],
    ["deny_file = 5", "4:13: proxy[0].deny_file: expected the name of a file, found 5"],
    ['deny_file = ""', "4:13: proxy[0].deny_file: the name is empty; write that of a file"],
    ['schedule = "Mon UTC"', '4:12: proxy[0].schedule: expected an array of windows, found "Mon UTC"'],
    [
      'schedule = ["Mon UTC", "Mo"]',
      '4:24: proxy[0].schedule[1]: Cannot parse schedule "Mo": the day "Mo" is unknown; use Mon, Tue, Wed, Thu, Fri, Sat or Sun',
    ],
    [
      "schedule = [true]",
      '4:13: proxy[0].schedule[0]: expected a window such as "Mon-Fri 08:00-18:00 Europe/Berlin", found true',
    ],
    // limits
    ['max_connections = "100"', `4:19: proxy[0].max_connections: ${count}, found "100"`],
    ["max_connections_per_source = -1", `4:30: proxy[0].max_connections_per_source: ${count}, found -1`],
    ["queue = 5", "4:9: proxy[0].queue: expected a table, found 5"],
    ["queue.size = 1000001", `4:14: proxy[0].queue.size: ${count}, found 1000001`],
    ["queue.timeout = 5", `4:17: proxy[0].queue.timeout: ${unit}`],
    ["queue.length = 5", '4:7: proxy[0].queue.length: unknown key "length"; the keys here are size, timeout'],
    ['rate = "20/s"', '4:8: proxy[0].rate: expected a table, found "20/s"'],
    ["rate.burst = 5", '4:1: proxy[0].rate.connections_per_source: the key "connections_per_source" is missing'],
    [
      "rate.connections_per_source = 20",
      '4:31: proxy[0].rate.connections_per_source: Cannot parse rate "20": the unit is missing; write "20/s", "20/m" or "20/h"',
    ],
    [
      "rate.connections_per_source = true",
      '4:31: proxy[0].rate.connections_per_source: expected a rate such as "20/s", found true',
    ],
    [
      'rate = { connections_per_source = "1/s", burst = 0 }',
      `4:50: proxy[0].rate.burst: ${count.replace("0", "1")}, found 0`,
    ],
    // listening
    ["reuse_port = 1", "4:14: proxy[0].reuse_port: expected true or false, found 1"],
    ['reuse_port = "yes"', '4:14: proxy[0].reuse_port: expected true or false, found "yes"'],
    // PROXY protocol
    ['proxy_protocol = "v1"', '4:18: proxy[0].proxy_protocol: expected a table, found "v1"'],
    [
      'proxy_protocol.accept_from = "::1"',
      '4:30: proxy[0].proxy_protocol.accept_from: expected an array of address ranges, found "::1"',
    ],
    [
      'proxy_protocol.accept_from = ["10.0.0.1/8"]',
      '4:31: proxy[0].proxy_protocol.accept_from[0]: Cannot parse address range "10.0.0.1/8": it does not begin there; write "10.0.0.0/8"',
    ],
    ["proxy_protocol.timeout = 5", `4:26: proxy[0].proxy_protocol.timeout: ${unit}`],
    ['proxy_protocol.send = "on"', `4:23: proxy[0].proxy_protocol.send: ${versions}, found "on"`],
    ["proxy_protocol.send = true", `4:23: proxy[0].proxy_protocol.send: ${versions}, found true`],
  ])("%s", (lines, message) => {
    expect(problems(PROXY + lines)).toEqual([message]);
  });
});

test("a unix socket has no port to share", () => {
  const why = "a unix socket has no port that processes could share; leave reuse_port out";
  expect(problems(`${UNIX}reuse_port = true`)).toEqual([`4:14: proxy[0].reuse_port: ${why}`]);
});

describe("over a unix socket, where clients have no IP address, there can be no", () => {
  const none = "clients of a unix socket have no IP address";
  const guard = `${none}; guard it by the rights of its directory`;
  const limit = `${none} to count them by; limit all of them with max_connections`;

  test.each<[string, string]>([
    ['allow = ["::1"]', `4:9: proxy[0].allow: ${guard}`],
    ['deny = ["::1"]', `4:8: proxy[0].deny: ${guard}`],
    ['allow_file = "a.txt"', `4:14: proxy[0].allow_file: ${guard}`],
    ['deny_file = "a.txt"', `4:13: proxy[0].deny_file: ${guard}`],
    ["max_connections_per_source = 1", `4:30: proxy[0].max_connections_per_source: ${limit}`],
    ['rate.connections_per_source = "1/s"', `4:1: proxy[0].rate: ${limit}`],
    [
      'proxy_protocol.accept_from = ["::1"]',
      `4:30: proxy[0].proxy_protocol.accept_from: ${none}, so that none of them is asked for a PROXY header; leave that out`,
    ],
  ])("%s", (lines, message) => {
    expect(problems(UNIX + lines)).toEqual([message]);
  });
});
