/** `[[udp]]` in files: what it becomes, and what is said about mistakes. */
import { describe, expect, test } from "bun:test";
import { loadConfig } from "../../src/config/load.ts";
import { BRIDGE } from "../../src/datagram/bridge/bridge-config.ts";
import { formatRoute } from "../../src/datagram/bridge/route-address.ts";
import { runCommand } from "../cli/fake-host.ts";
import { problems } from "./problems.ts";

/** Lines 1 to 3 of each file. */
const TABLE = '[[udp]]\nfrom = "udp://0.0.0.0:9920"\nto = "udp://10.0.0.7:9921"\n';

function load(text: string) {
  return loadConfig(text, "weir.toml").bridges;
}

describe("[[udp]]", () => {
  test("alone has the defaults", () => {
    expect(load(TABLE)).toEqual([
      {
        ...BRIDGE,
        name: "udp-1",
        from: [{ kind: "udp", host: "0.0.0.0", port: 9920 }],
        to: [{ kind: "udp", host: "10.0.0.7", port: 9921 }],
      },
    ]);
    expect(loadConfig(TABLE, "weir.toml").proxies).toEqual([]);
  });

  test("has every key", () => {
    const text = `[[udp]]
      name = "ais"
      from = ["udp://0.0.0.0:9920", "tls://feed.example:9925", "-"]
      to = ["udp://[ff02::1]:9918", "listen://0.0.0.0:9930", "file:/var/log/a"]
      tee = "-"
      datagram_size = "1KB"
      cut = "lines"
      multicast = { ttl = 32, loopback = false, interface = "eth0" }
      receive_buffer = "8MiB"
      buffer = "2MiB"
      when_full = "disconnect"
      max_clients = 7
      file = { max_size = "100MiB", keep = 2, fsync = "second" }
      source_tls = { ca = "ca.pem", server_name = "feed.internal" }
      `;
    const [bridge] = load(text);
    expect(bridge).toEqual({
      name: "ais",
      from: [
        { kind: "udp", host: "0.0.0.0", port: 9920 },
        { kind: "stream", address: { kind: "tcp", host: "feed.example", port: 9925 }, tls: true },
        { kind: "descriptor", descriptor: 0 },
      ],
      to: [
        { kind: "udp", host: "ff02::1", port: 9918 },
        { kind: "listen", address: { kind: "tcp", host: "0.0.0.0", port: 9930 } },
        { kind: "file", path: "/var/log/a" },
        { kind: "descriptor", descriptor: 1 },
      ],
      datagramSize: 1_000,
      cut: "lines",
      multicast: { ttl: 32, loopback: false, interface: "eth0" },
      receiveBuffer: 8_388_608,
      buffer: 2_097_152,
      whenFull: "disconnect",
      maxClients: 7,
      file: { maxSize: 104_857_600, keep: 2, fsync: "second" },
      sourceTls: { ...BRIDGE.sourceTls, ca: "ca.pem", serverName: "feed.internal" },
    });
  });

  test.each([
    ['from = 9920\nto = "a:1"', ["udp://127.0.0.1:9920"], ["udp://a:1"]],
    ['from = [9920, ":9921"]\nto = ["a:1"]', ["udp://127.0.0.1:9920", "udp://[::]:9921"], ["udp://a:1"]],
    ['from = "9920"\ntee = "-"', ["udp://127.0.0.1:9920"], ["-"]],
    ['from = "9920"\ntee = "a.log"', ["udp://127.0.0.1:9920"], ["file:a.log"]],
    ['from = "9920"\ntee = "file:/a.log"', ["udp://127.0.0.1:9920"], ["file:/a.log"]],
    ['from = "9920"\nto = "file:b"\ntee = "fd:3"', ["udp://127.0.0.1:9920"], ["file:b", "fd:3"]],
  ])("%p names one address or several", (lines, from, to) => {
    const [bridge] = load(`[[udp]]\n${lines}`);
    expect([bridge?.from.map(formatRoute), bridge?.to.map(formatRoute)]).toEqual([from, to]);
  });

  test("is named by its place among its like, and keeps company with proxies", () => {
    const file = `[[proxy]]\nlisten = 1\ntarget = 2\n${TABLE}${TABLE.replace("9920", "1")}name = "b"\n${TABLE.replace("9920", "2")}`;
    expect(load(file).map(({ name }) => name)).toEqual(["udp-1", "b", "udp-3"]);
  });

  test("is printed by weir check", async () => {
    const files = {
      "a.toml": TABLE,
      "b.toml": `${TABLE}tee = "-"\n[[proxy]]\nlisten = 1\ntarget = 2\n${TABLE.replace("9920", "1")}`,
    };
    const route = "udp-1: udp://0.0.0.0:9920 -> udp://10.0.0.7:9921";
    expect(await runCommand(["check", "a.toml"], files)).toEqual({
      code: 0,
      out: ["a.toml is fine: 1 bridge", `  ${route}`, "  metrics 127.0.0.1:8998"],
      err: [],
    });
    const { out } = await runCommand(["check", "b.toml"], files);
    expect(out[0]).toBe("b.toml is fine: 1 proxy, 2 bridges");
    expect(out[1]).toStartWith("  proxy-1: 127.0.0.1:1 -> 127.0.0.1:2 ");
    expect(out.slice(2, 4)).toEqual([`  ${route}, -`, "  udp-2: udp://0.0.0.0:1 -> udp://10.0.0.7:9921"]);
  });
});

describe("a bad [[udp]] is explained:", () => {
  const from = 'an address such as "udp://0.0.0.0:9920"';
  test.each<[string, string]>([
    ["name = 5", "4:8: udp[0].name: expected a string, found 5"],
    [
      "datagram_size = 0",
      '4:17: udp[0].datagram_size: Cannot parse size "0": it is too small for a datagram; use 1B to 65507B',
    ],
    [
      'datagram_size = "64KiB"',
      '4:17: udp[0].datagram_size: Cannot parse size "64KiB": it is too large for a datagram; use 1B to 65507B',
    ],
    ['cut = "line"', '4:7: udp[0].cut: expected "size" or "lines", found "line"; did you mean "lines"?'],
    ["multicast.ttl = 256", "4:17: udp[0].multicast.ttl: expected a whole number from 0 to 255, found 256"],
    ['multicast.loopback = "no"', '4:22: udp[0].multicast.loopback: expected true or false, found "no"'],
    [
      'multicast.interface = "*"',
      '4:23: udp[0].multicast.interface: Cannot use "*" as an interface: it has to be one; write its name, such as eth0',
    ],
    [
      'multicast.interface = "e 0"',
      '4:23: udp[0].multicast.interface: Cannot use "e 0" as an interface: write its name, such as eth0, or one of its addresses',
    ],
    [
      'multicast.iface = "x"',
      '4:11: udp[0].multicast.iface: unknown key "iface"; the keys here are ttl, loopback, interface',
    ],
    [
      "receive_buffer = 1",
      '4:18: udp[0].receive_buffer: Cannot parse size "1": it is too small for a buffer; use 1KiB to 1GiB',
    ],
    [
      'buffer = "2GiB"',
      '4:10: udp[0].buffer: Cannot parse size "2GiB": it is too large for a buffer; use 1KiB to 1GiB',
    ],
    ['when_full = "wait"', '4:13: udp[0].when_full: expected "drop", "disconnect" or "block", found "wait"'],
    ["max_clients = -1", "4:15: udp[0].max_clients: expected a whole number from 0 to 1000000, found -1"],
    [
      "file.max_size = 1",
      '4:17: udp[0].file.max_size: Cannot parse size "1": it is too small; use 4096B or more, or "off"',
    ],
    ["file.keep = 1001", "4:13: udp[0].file.keep: expected a whole number from 0 to 1000, found 1001"],
    ["file.fsync = true", '4:14: udp[0].file.fsync: expected "never", "second" or "always", found true'],
    ["tee = true", '4:7: udp[0].tee: expected a file, or "-", found true'],
    ['tee = "a/"', '4:7: udp[0].tee: Cannot parse address "file:a/": it names a directory; write the path of a file'],
    ["form = 1", '4:1: udp[0].form: unknown key "form"; did you mean "from"?'],
    // what changes nothing
    [
      'cut = "lines"',
      "4:7: udp[0].cut: cut needs a source that is a stream: tcp://, tls://, listen://, unix:, file:, fd: or -; add one, or leave cut out",
    ],
    [
      "datagram_size = 512",
      "4:17: udp[0].datagram_size: datagram_size needs a source that is a stream: tcp://, tls://, listen://, unix:, file:, fd: or -; add one, or leave datagram_size out",
    ],
    [
      "multicast.ttl = 4",
      "4:1: udp[0].multicast: multicast needs a multicast group to send to; add one, or leave multicast out",
    ],
    [
      'when_full = "block"',
      "4:13: udp[0].when_full: when_full needs a listen:// destination; add one, or leave when_full out",
    ],
    ['buffer = "2MiB"', "4:10: udp[0].buffer: buffer needs a listen:// destination; add one, or leave buffer out"],
    [
      "max_clients = 1",
      "4:15: udp[0].max_clients: max_clients needs a listen:// destination; add one, or leave max_clients out",
    ],
    ['file.fsync = "always"', "4:1: udp[0].file: file needs a file to write to; add one, or leave file out"],
    [
      'tee = "a"\nfile.keep = 3',
      "5:13: udp[0].file.keep: keep is 3, and no file is put aside; add max_size, or leave keep out",
    ],
  ])("%s", (lines, message) => {
    expect(problems(`${TABLE}${lines}`)).toEqual([message]);
  });

  test.each<[string, string, string]>([
    ["no from", '[[udp]]\nto = "a:1"', '1:1: udp[0].from: the key "from" is missing'],
    ["no to", '[[udp]]\nfrom = "a:1"', '1:1: udp[0].to: the key "to" is missing'],
    ["no table", "udp = 1", "1:7: udp: expected tables written [[udp]], found 1"],
    [
      "an empty from",
      '[[udp]]\nfrom = []\nto = "a:1"',
      '2:8: udp[0].from: there is no address; write one at least, such as "udp://0.0.0.0:9920"',
    ],
    [
      "a strange from",
      '[[udp]]\nfrom = true\nto = "a:1"',
      `2:8: udp[0].from: expected ${from}, or an array of them, found true`,
    ],
    [
      "a strange element",
      '[[udp]]\nfrom = ["b:1", true]\nto = "a:1"',
      `2:16: udp[0].from[1]: expected ${from}, found true`,
    ],
    [
      "a bad element",
      '[[udp]]\nfrom = ["b:1", "b"]\nto = "a:1"',
      '2:16: udp[0].from[1]: Cannot parse address "b": the port is missing; write "b:PORT"',
    ],
    [
      "port 0 as a destination",
      '[[udp]]\nfrom = 1\nto = "10.0.0.1:0"',
      '3:6: udp[0].to: Cannot parse address "10.0.0.1:0": port 0 cannot be connected to; use 1 to 65535',
    ],
    [
      "a destination to connect to",
      '[[udp]]\nfrom = 1\nto = ["tcp://10.0.0.1:1"]',
      '3:7: udp[0].to[0]: Cannot parse address "tcp://10.0.0.1:1": weir connects to sources alone; write "listen://…" for those who want the stream',
    ],
    [
      "an address twice",
      '[[udp]]\nfrom = ["tcp://a:1", "tcp://A:1"]\nto = "b:1"',
      "2:22: udp[0].from[1]: tcp://A:1 is there twice: whatever comes from it would come twice; leave one of them out",
    ],
    [
      "a group twice",
      '[[udp]]\nfrom = ["239.1.2.3:1", "10.0.0.5@239.1.2.3:1", "239.1.2.3:1"]\nto = "b:1"',
      "2:48: udp[0].from[2]: udp://239.1.2.3:1 is there twice: whatever comes from it would come twice; leave one of them out",
    ],
    [
      "a destination twice",
      '[[udp]]\nfrom = 1\nto = ["[::1]:2", "[0::1]:2"]',
      "3:18: udp[0].to[1]: udp://[0::1]:2 is there twice: it would get everything twice; leave one of them out",
    ],
    [
      "standard output twice",
      '[[udp]]\nfrom = 1\nto = "-"\ntee = "-"',
      "4:7: udp[0].tee: - is there twice: it would get everything twice; leave one of them out",
    ],
    [
      "a port twice",
      '[[udp]]\nfrom = ":9920"\nto = "b:1"\n[[udp]]\nfrom = ["1", "127.0.0.1:9920"]\nto = "b:1"',
      '5:14: udp[1].from[1]: udp://127.0.0.1:9920 is taken: bridge "udp-1" already listens on udp://[::]:9920; use another address or port 0',
    ],
    [
      "an address to listen on twice",
      '[[proxy]]\nlisten = ":8080"\ntarget = 1\n[[udp]]\nfrom = 1\nto = "listen://8080"',
      '6:6: udp[0].to: 127.0.0.1:8080 is taken: proxy "proxy-1" already listens on [::]:8080; use another address or port 0',
    ],
    [
      "the port of a UDP proxy",
      '[[proxy]]\nlisten = "udp://:53"\ntarget = "10.0.0.1:53"\n[[udp]]\nfrom = "127.0.0.1:53"\nto = "b:1"',
      '5:8: udp[0].from: udp://127.0.0.1:53 is taken: proxy "proxy-1" already listens on udp://[::]:53; use another address or port 0',
    ],
    [
      "an address to listen on both ways",
      '[[udp]]\nfrom = "listen://8080"\nto = ["listen://8080"]',
      '3:7: udp[0].to[0]: 127.0.0.1:8080 is taken: bridge "udp-1" already listens on 127.0.0.1:8080; use another address or port 0',
    ],
    [
      "standard input twice",
      '[[udp]]\nname = "a"\nfrom = "-"\nto = "b:1"\n[[udp]]\nfrom = ["fd:0"]\nto = "b:1"',
      '6:9: udp[1].from[0]: - is there twice: bridge "a" reads it already, and each would get a part of it; keep one, and give that all destinations',
    ],
    [
      "a file that is put aside by one of two",
      '[[udp]]\nfrom = 1\nto = "file:a"\n[[udp]]\nfrom = 2\ntee = "a"\nfile.max_size = "1MiB"',
      '6:7: udp[1].tee: file:a is there twice: bridge "udp-1" writes to it as well, and with max_size one of them puts it aside; use two files',
    ],
    [
      "a name twice",
      `${TABLE}name = "a"\n[[proxy]]\nname = "a"\nlisten = 1\ntarget = 2`,
      '4:8: udp[0].name: the name "a" is already that of proxy[0]; choose another',
    ],
  ])("%s", (_, text, message) => {
    expect(problems(text)).toEqual([message]);
  });

  test.each([
    ["a group of which there are two members", "239.1.2.3:1", "239.1.2.3:1"],
    ["a port that is the kernel's choice", "127.0.0.1:0", "127.0.0.1:0"],
    ["two descriptors", "fd:3", "fd:4"],
    ["a file that two read", "file:a", "file:a"],
  ])("not %s", (_, first, second) => {
    expect(load(`[[udp]]\nfrom = "${first}"\nto = "b:1"\n[[udp]]\nfrom = "${second}"\nto = "b:1"`)).toHaveLength(2);
  });
});
