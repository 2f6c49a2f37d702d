/** What is said of a bad file: each problem in full. */
import { describe, expect, test } from "bun:test";
import { loadConfig } from "../../src/config/load.ts";
import { errorOf, problems } from "./problems.ts";

/** Line 1 to 3 of most files below. */
const PROXY = '[[proxy]]\nlisten = 8080\ntarget = "10.0.0.1:80"\n';

describe("a problem in a file", () => {
  const words = '"error", "warn", "info", "debug" or "trace"';
  const keys = [
    "name, listen, target, targets, balance, slow_start, none_healthy, health, buffer, nodelay, keepalive, reuse_port, allow, deny",
    "allow_file, deny_file, schedule, max_connections, max_connections_per_source, queue, rate, proxy_protocol, refuse",
    "retries, source, tls, target_tls, timeouts, observer, inspect, filter, fault",
  ].join(", ");

  test.each<[string, string, string]>([
    // syntax
    ["a missing value", "a =", "1:4: not valid TOML: invalid value"],
    ["a key given twice", "a = 1\na = 2", "2:1: not valid TOML: trying to redefine an already defined table or value"],
    // unknown keys
    ["a mistyped table", `[amdin]\n${PROXY}`, '1:2: amdin: unknown key "amdin"; did you mean "admin"?'],
    ["a mistyped key", `${PROXY}timeuot = 5`, '4:1: proxy[0].timeuot: unknown key "timeuot"; did you mean "timeouts"?'],
    [
      "a key with a wrong case",
      `[log]\nLevel = "info"\n${PROXY}`,
      '2:1: log.Level: unknown key "Level"; did you mean "level"?',
    ],
    [
      "a key from nowhere",
      `${PROXY}colour = 5`,
      `4:1: proxy[0].colour: unknown key "colour"; the keys here are ${keys}`,
    ],
    [
      "a key of every object",
      `${PROXY}constructor = 5`,
      `4:1: proxy[0].constructor: unknown key "constructor"; the keys here are ${keys}`,
    ],
    [
      "the prototype",
      `${PROXY}__proto__ = 5`,
      `4:1: proxy[0].__proto__: unknown key "__proto__"; the keys here are ${keys}`,
    ],
    [
      "an unknown key in an inline table",
      `${PROXY}timeouts = { fni = "1s" }`,
      '4:14: proxy[0].timeouts.fni: unknown key "fni"; did you mean "fin"?',
    ],
    [
      "a quoted key",
      `"a\\nb.c" = 5\n${PROXY}`,
      '1:1: "a\\nb.c": unknown key "a\\u000ab.c"; the keys here are admin, log, engine, shutdown, dns, toxiproxy, seed, proxy, mux, udp',
    ],
    ["a table, mistyped", `${PROXY}[engin]`, '4:2: engin: unknown key "engin"; did you mean "engine"?'],
    [
      "a token",
      `[admin]\ntoken_env = ""\n${PROXY}`,
      "2:13: admin.token_env: a name has 1 to 100 characters, none of them a control character",
    ],
    [
      "observers",
      `${PROXY}[[proxy.observer]]\naddress = "nowhere"`,
      '5:11: proxy[0].observer[0].address: Cannot parse address "nowhere": the port is missing; write "nowhere:PORT"',
    ],
    // missing keys
    ["no listener", "[[proxy]]\ntarget = 80", '1:1: proxy[0].listen: the key "listen" is missing'],
    ["no target", "[[proxy]]\nlisten = 80", '1:1: proxy[0].target: the key "target" is missing'],
    [
      "no target in the list",
      "[[proxy]]\nlisten = 80\ntargets = []",
      "3:11: proxy[0].targets: there is no target; write one address at least",
    ],
    [
      "no address",
      "[[proxy]]\nlisten = 80\ntargets = [{}]",
      '3:12: proxy[0].targets[0].address: the key "address" is missing',
    ],
    [
      "too many targets",
      `${PROXY}targets = [80]`,
      '4:11: proxy[0].targets: write either "target" or "targets", not both',
    ],
    [
      "a missing key that is only mistyped",
      "[[proxy]]\nlisetn = 1\ntarget = 80",
      '2:1: proxy[0].lisetn: unknown key "lisetn"; did you mean "listen"?',
    ],
    [
      "a mistyped target",
      "[[proxy]]\nlisten = 1\ntagret = 80",
      '3:1: proxy[0].tagret: unknown key "tagret"; did you mean "target"?',
    ],
    // wrong types
    ["a value for a table", `log = "debug"\n${PROXY}`, '1:7: log: expected a table, found "debug"'],
    ["an array for a table", `log = []\n${PROXY}`, "1:7: log: expected a table, found an array"],
    ["a date for a table", `log = 1979-05-27\n${PROXY}`, "1:7: log: expected a table, found a date"],
    ["a table for tables", "[proxy]\nlisten = 1", "1:1: proxy: expected tables written [[proxy]], found a table"],
    ["a number in place of a proxy", "proxy = [5]", "1:10: proxy[0]: expected a table, found 5"],
    ["an array in place of a proxy", "proxy = [[]]", "1:10: proxy[0]: expected a table, found an array"],
    [
      "an array for an address",
      `admin.listen = [1]\n${PROXY}`,
      '1:16: admin.listen: expected an address such as "127.0.0.1:8080", or "off", found an array',
    ],
    [
      "a date among targets",
      "[[proxy]]\nlisten = 1\ntargets = [1979-05-27]",
      '3:12: proxy[0].targets[0]: expected an address such as "10.0.0.1:8080" or { address = "…" }, found a date',
    ],
    [
      "an array among targets",
      "[[proxy]]\nlisten = 1\ntargets = [[2]]",
      '3:12: proxy[0].targets[0]: expected an address such as "10.0.0.1:8080" or { address = "…" }, found an array',
    ],
    [
      "a string for a list",
      '[[proxy]]\nlisten = 1\ntargets = "a:1"',
      '3:11: proxy[0].targets: expected an array of addresses, found "a:1"',
    ],
    ["a string for a switch", `${PROXY}nodelay = "yes"`, '4:11: proxy[0].nodelay: expected true or false, found "yes"'],
    [
      "a switch for a duration",
      `${PROXY}keepalive = false`,
      '4:13: proxy[0].keepalive: expected a duration such as "5s", or "off", found false',
    ],
    ["a number for a name", `${PROXY}name = 5`, "4:8: proxy[0].name: expected a string, found 5"],
    [
      "a table for a size",
      `${PROXY}buffer.size = 5`,
      '4:1: proxy[0].buffer: expected a size such as "256KiB", found a table',
    ],
    // wrong values
    [
      "a mistyped level",
      `[log]\nlevel = "debgu"\n${PROXY}`,
      `2:9: log.level: expected ${words}, found "debgu"; did you mean "debug"?`,
    ],
    ["a level from nowhere", `[log]\nlevel = "loud"\n${PROXY}`, `2:9: log.level: expected ${words}, found "loud"`],
    ["a number for a word", `[log]\nformat = 5\n${PROXY}`, '2:10: log.format: expected "text" or "json", found 5'],
    [
      "a duration without unit",
      `${PROXY}timeouts = { idle = 5 }`,
      '4:21: proxy[0].timeouts.idle: Cannot parse duration "5": the unit is missing; write "5s" or "5ms"',
    ],
    [
      "a grace period that is off",
      `[shutdown]\ngrace = "off"\n${PROXY}`,
      '2:9: shutdown.grace: Cannot parse duration "off": write a number and a unit (ms, s, m, h, d), such as "5s" or "1.5h"',
    ],
    [
      "a buffer that holds nothing",
      `${PROXY}buffer = 0`,
      '4:10: proxy[0].buffer: Cannot parse size "0": it is too small for a buffer; use 1KiB to 1GiB',
    ],
    [
      "an empty name",
      `${PROXY}name = ""`,
      "4:8: proxy[0].name: a name has 1 to 100 characters, none of them a control character",
    ],
    [
      "a listener without port",
      '[[proxy]]\nlisten = "localhost"\ntarget = 1',
      '2:10: proxy[0].listen: Cannot parse address "localhost": the port is missing; write "localhost:PORT"',
    ],
    [
      "a port out of range",
      "[[proxy]]\nlisten = 65536\ntarget = 1",
      '2:10: proxy[0].listen: Cannot parse address "65536": the port 65536 is out of range; use 0 to 65535',
    ],
    [
      "a target of port 0",
      "[[proxy]]\nlisten = 1\ntarget = 0",
      '3:10: proxy[0].target: Cannot parse address "0": port 0 cannot be connected to; use 1 to 65535',
    ],
    [
      "a bad address in a table",
      "[[proxy]]\nlisten = 1\ntargets = [{ address = 0 }]",
      '3:24: proxy[0].targets[0].address: Cannot parse address "0": port 0 cannot be connected to; use 1 to 65535',
    ],
    [
      "an escape sequence",
      '[[proxy]]\nlisten = "\\u001b[2J\\n:1"\ntarget = 1',
      '2:10: proxy[0].listen: Cannot parse address "\\u001b[2J\\u000a:1": "\\u001b[2J\\u000a" is not a host name',
    ],
    // contradictions
    [
      "nothing to do",
      "",
      "1:1: there is nothing to run; add [[proxy]] or [[mux]] with listen and target, or [[udp]] with from and to",
    ],
    [
      "a loop through target",
      "[[proxy]]\nlisten = 80\ntarget = 80",
      "3:10: proxy[0].target: the target 127.0.0.1:80 leads back to the proxy itself, which listens on 127.0.0.1:80; change one of them",
    ],
    [
      "a loop through targets",
      "[[proxy]]\nlisten = 80\ntargets = [80]",
      "3:12: proxy[0].targets[0]: the target 127.0.0.1:80 leads back to the proxy itself, which listens on 127.0.0.1:80; change one of them",
    ],
    [
      "an admin address taken",
      `[admin]\nlisten = 8080\n${PROXY}`,
      '2:10: admin.listen: 127.0.0.1:8080 is taken: proxy "proxy-1" already listens on 127.0.0.1:8080; use another address or port 0',
    ],
    [
      "a name like a default one",
      `[[proxy]]\nname = "proxy-2"\nlisten = 1\ntarget = 9\n${PROXY}`,
      '5:1: proxy[1].name: the name "proxy-2" is already that of proxy[0]; choose another',
    ],
  ])("is told in full: %s", (_, text, message) => {
    expect(problems(text)).toEqual([message]);
  });

  test("is told with all others, in the order of lines", () => {
    const text = `[[proxy]]
target = "a"
colour = 1
color = 2
[proxy.timeouts]
idle = 5
conect = 5
[log]
level = 5
[[proxy]]
listen = "b"
targets = [{ adress = 1 }, "c", 0]
`;
    expect(problems(text)).toEqual([
      '1:1: proxy[0].listen: the key "listen" is missing',
      '2:10: proxy[0].target: Cannot parse address "a": the port is missing; write "a:PORT"',
      `3:1: proxy[0].colour: unknown key "colour"; the keys here are ${keys}`,
      `4:1: proxy[0].color: unknown key "color"; the keys here are ${keys}`,
      '6:8: proxy[0].timeouts.idle: Cannot parse duration "5": the unit is missing; write "5s" or "5ms"',
      '7:1: proxy[0].timeouts.conect: unknown key "conect"; did you mean "connect"?',
      `9:9: log.level: expected ${words}, found 5`,
      '11:10: proxy[1].listen: Cannot parse address "b": the port is missing; write "b:PORT"',
      '12:14: proxy[1].targets[0].adress: unknown key "adress"; did you mean "address"?',
      '12:28: proxy[1].targets[1]: Cannot parse address "c": the port is missing; write "c:PORT"',
      '12:33: proxy[1].targets[2]: Cannot parse address "0": port 0 cannot be connected to; use 1 to 65535',
    ]);
  });

  test("says where it is to programs as well", () => {
    const error = errorOf(() => loadConfig(`${PROXY}buffer = "x"`, "dir/weir.toml"));
    const why = 'Cannot parse size "x": write a number and a unit, such as "64KiB" or "1MB"';
    expect(error.code).toBe("ECONFIG");
    expect(error.problems).toEqual([
      { file: "dir/weir.toml", line: 4, column: 10, path: "proxy[0].buffer", message: why },
    ]);
    expect(error.message).toBe(`dir/weir.toml:4:10: proxy[0].buffer: ${why}`);
  });
});
