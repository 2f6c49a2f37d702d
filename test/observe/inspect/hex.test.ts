/** Dumps for people. */
import { expect, test } from "bun:test";
import { bytes, InspectWorld } from "./world.ts";

test("a dump shows who said what, when, and where in the stream", () => {
  const world = new InspectWorld({ format: "hex" });
  const session = world.session();
  session.saw("upstream", bytes("GET / HTTP/1.1\r\n\r\n"));
  session.saw("downstream", Uint8Array.of(0, 31, 32, 126, 127, 255));
  session.saw("downstream", bytes("one more"));
  session.ended("downstream");
  session.closed({ reason: "client_reset", error: "ECONNRESET" });
  expect(world.lines().map((line) => line.replace(/T00:00:00\.\d{6}Z/, "T"))).toEqual([
    "- 2026-01-01T session 7 opened: 127.0.0.1:50000 -> 127.0.0.1:80 (web)",
    "> 2026-01-01T session 7 18 bytes from 127.0.0.1:50000",
    "> 00000000  47 45 54 20 2f 20 48 54  54 50 2f 31 2e 31 0d 0a  |GET / HTTP/1.1..|",
    "> 00000010  0d 0a                                             |..|",
    "< 2026-01-01T session 7 6 bytes from 127.0.0.1:80",
    "< 00000000  00 1f 20 7e 7f ff                                 |.. ~..|",
    "< 2026-01-01T session 7 8 bytes from 127.0.0.1:80",
    "< 00000006  6f 6e 65 20 6d 6f 72 65                           |one more|",
    "< 2026-01-01T session 7 end (FIN) after 14 bytes",
    "- 2026-01-01T session 7 closed: client_reset, ECONNRESET; 18 bytes upstream, 14 bytes downstream",
  ]);
});

test("a dump says where it is cut off, and how much was lost", () => {
  const world = new InspectWorld({ format: "hex", maxBytes: 3 });
  const session = world.session();
  world.files.capacity = 0;
  session.saw("upstream", bytes("a"));
  world.files.capacity = Number.POSITIVE_INFINITY;
  world.now += 1_000;
  session.saw("upstream", bytes("bcde"));
  session.saw("upstream", bytes("f"));
  session.closed({ reason: "idle_timeout", error: null });
  expect(
    world
      .lines()
      .slice(1)
      .map((line) => line.replace(/ \S+Z/, "")),
  ).toEqual([
    "> session 7 1 byte lost on the way here, at 00000000",
    "> session 7 2 bytes from 127.0.0.1:50000",
    "> 00000001  62 63                                             |bc|",
    "> session 7 cut off at 00000003: max_bytes is reached, and no more is recorded",
    "- session 7 closed: idle_timeout; 6 bytes upstream, 0 bytes downstream",
  ]);
});
