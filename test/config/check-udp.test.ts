/** Bridges that would feed themselves. */
import { describe, expect, test } from "bun:test";
import { loadConfig } from "../../src/config/load.ts";
import { problems } from "./problems.ts";

function load(text: string) {
  return loadConfig(text, "weir.toml").bridges;
}

describe("datagrams that come back are refused:", () => {
  const APART = "change one of them, or name an interface for each, such as …%eth0 and …%eth1";
  test.each([
    ["127.0.0.1:9", "127.0.0.1:9", "change one of them"],
    ["0.0.0.0:9", "127.0.0.1:9", "change one of them"],
    ["[::]:9", "localhost:9", "change one of them"],
    ["239.1.2.3:9", "239.1.2.3:9", APART],
    ["10.0.0.5@232.1.2.3:9", "232.1.2.3:9", APART],
    ["[ff02::1]:9%eth0", "[ff02::1]:9", APART],
    ["[ff02::1]:9%*", "[ff02::1]:9%eth0", APART],
    ["239.1.2.3:9%eth0", "239.1.2.3:9%10.0.0.1", APART],
  ])("from %s to %s", (from, to, remedy) => {
    const what = `what goes to udp://${to} comes back to the bridge by udp://${from}; ${remedy}`;
    expect(problems(`[[udp]]\nfrom = "${from}"\nto = ["a:1", "${to}"]`)).toEqual([`3:14: udp[0].to[1]: ${what}`]);
  });

  test.each([
    ["tcp://localhost:9", "listen://0.0.0.0:9", "tcp://localhost:9", "listen://0.0.0.0:9"],
    ["file:a", "file:a", "file:a", "file:a"],
  ])("from %s to %s, which are no datagrams", (from, to, source, sink) => {
    const what = `what goes to ${sink} comes back to the bridge by ${source}; change one of them`;
    expect(problems(`[[udp]]\nfrom = "${from}"\nto = "${to}"`)).toEqual([`3:6: udp[0].to: ${what}`]);
  });

  test.each([
    ["10.0.0.1:9", "10.0.0.1:10"],
    ["0.0.0.0:9", "[::1]:9"],
    ["0.0.0.0:9", "[ff02::1]:9"],
    ["127.0.0.1:9", "239.1.2.3:9"],
    // What comes back to it all the same is dropped as it comes.
    ["0.0.0.0:9", "239.1.2.3:9"],
    ["[::]:9", "[ff02::1]:9"],
    ["239.1.2.3:9", "239.1.2.3:10"],
    ["239.1.2.3:9", "239.1.2.4:9"],
    ["239.1.2.3:9%eth0", "239.1.2.3:9%eth1"],
    ["239.1.2.3:9%10.0.0.1", "239.1.2.3:9%10.1.0.1"],
    ["-", "-"],
    ["fd:3", "fd:3"],
    ["tcp://localhost:9", "localhost:9"],
    ["file:a", "file:b"],
  ])("not from %s to %s", (from, to) => {
    expect(load(`[[udp]]\nfrom = "${from}"\nto = "${to}"`)).toHaveLength(1);
  });

  test("by the interface that groups are left by", () => {
    const file = (leaving: string) =>
      `[[udp]]\nfrom = "239.1.2.3:9%eth0"\nto = "239.1.2.3:9"\nmulticast.interface = "${leaving}"`;
    expect(load(file("eth1"))).toHaveLength(1);
    expect(problems(file("eth0"))).toEqual([
      "3:6: udp[0].to: what goes to udp://239.1.2.3:9 comes back to the bridge by udp://239.1.2.3:9%eth0; change one of them, or name an interface for each, such as …%eth0 and …%eth1",
    ]);
  });

  test("through other bridges", () => {
    const rows = [
      ["a", "1", "2"],
      ["b", "2", "listen://3"],
      ["c", "tcp://localhost:3", "1"],
      ["d", "4", "1"],
    ];
    const file = rows.map(([name, from, to]) => `[[udp]]\nname = "${name}"\nfrom = "${from}"\nto = "${to}"\n`).join("");
    expect(problems(file)).toEqual([
      '4:6: udp[0].to: datagrams would go in a circle: "a" -> "b" -> "c" -> "a"; change one of the destinations',
    ]);
  });
});
