/** When it is said what becomes of the connections to a target. */
import { expect, test } from "bun:test";
import { type LineEvent, MuxNews, type MuxTrouble } from "../../src/mux/mux-events.ts";
import { type Address, parseAddress } from "../../src/net/address.ts";
import { SocketError } from "../../src/net/errors.ts";

const TARGET = parseAddress("10.0.0.1:80", "target");
const OTHER = parseAddress("10.0.0.2:80", "target");
const END: Address = { kind: "tcp", host: "10.0.0.9", port: 4_000 };
const REFUSED = new SocketError("ECONNREFUSED");

function world(watched = true) {
  const told: (MuxTrouble | LineEvent)[] = [];
  let now = 0;
  const tell = (event: MuxTrouble | LineEvent) => void told.push(event);
  const news = new MuxNews({ now: () => now }, watched ? { trouble: tell, line: tell } : {});
  return {
    news,
    told,
    events: () => told.map(({ event }) => event),
    pass: (ms: number) => {
      now += ms;
    },
  };
}

test("a target that cannot be connected is told of once, until it can again", () => {
  const { news, told } = world();
  for (let n = 0; n < 3; n++) news.unopened(TARGET, REFUSED);
  news.unopened(OTHER, REFUSED);
  news.opened(TARGET, {}, END);
  news.unopened(TARGET, REFUSED);
  const refused = { event: "unreachable", code: "ECONNREFUSED", message: REFUSED.message } as const;
  expect(told).toEqual([
    { ...refused, target: "10.0.0.1:80" },
    { ...refused, target: "10.0.0.2:80" },
    { event: "reachable", target: "10.0.0.1:80" },
    { event: "opened", target: "10.0.0.1:80", local: "10.0.0.9:4000" },
    { ...refused, target: "10.0.0.1:80" },
  ]);
});

test("an attempt that was given up says nothing about its target", () => {
  const { news, told } = world();
  news.unopened(TARGET, new SocketError("ECANCELED"));
  expect(told).toEqual([]);
});

test("a target that comes back is as if it were new", () => {
  const { news, events } = world();
  news.unopened(TARGET, REFUSED);
  news.keep(["10.0.0.2:80"]);
  news.opened(TARGET, {}, END);
  expect(events()).toEqual(["unreachable", "opened"]);
});

test("what a target sends too much is told of once a second, with how much that is", () => {
  const { news, told, pass } = world();
  for (let n = 0; n < 100; n++) news.mismatch(TARGET, "a reply");
  pass(999);
  news.mismatch(TARGET, "a reply");
  pass(1);
  news.mismatch(TARGET, "no reply");
  expect(told).toEqual([
    { event: "mismatch", target: "10.0.0.1:80", what: "a reply", count: 1 },
    { event: "mismatch", target: "10.0.0.1:80", what: "no reply", count: 101 },
  ]);
});

test("an end is told with the local address that its beginning had", () => {
  const { news, told } = world();
  const [one, other] = [{}, {}];
  news.opened(TARGET, one, END);
  news.opened(TARGET, other, { ...END, port: 4_001 });
  news.closed(TARGET, one, "idle", 0);
  news.closed(TARGET, one, "idle", 0);
  news.closed(TARGET, other, "target_reset", 2);
  expect(told.slice(2)).toEqual([
    { event: "closed", target: "10.0.0.1:80", local: "10.0.0.9:4000", why: "idle", underWay: 0 },
    { event: "closed", target: "10.0.0.1:80", local: "10.0.0.9:4001", why: "target_reset", underWay: 2 },
  ]);
});

test("without anybody who listens nothing happens", () => {
  const { news, told } = world(false);
  const line = {};
  news.unopened(TARGET, REFUSED);
  news.opened(TARGET, line, END);
  news.mismatch(TARGET, "a reply");
  news.closed(TARGET, line, "unused", 0);
  expect(told).toEqual([]);
});
