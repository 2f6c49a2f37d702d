/** What is read from a ClientHello, however it is cut, and what is none. */
import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { HELLO_MAX, HelloReader, type HelloReading } from "../../src/tls/client-hello.ts";
import { bytesOf, extension, helloFor, hostNames, message, protocols, records, vector, versions } from "./hellos.ts";

/** What a reader says that gets the bytes in these parts, as a connection would bring them. */
function readIn(bytes: Uint8Array, cuts: readonly number[]): HelloReading {
  const reader = new HelloReader();
  for (const end of [...cuts, bytes.length]) {
    const reading = reader.read(bytes.subarray(0, end));
    if (reading.kind !== "more") return reading;
  }
  return { kind: "more" };
}

const read = (bytes: Uint8Array) => readIn(bytes, []);
const oneByOne = (bytes: Uint8Array) => readIn(bytes, Array.from(bytes.keys()));

const GREASE = [
  extension(0x0a0a, []),
  hostNames("example.com"),
  protocols("\x1a\x1a", "h2", "http/1.1"),
  versions(0x2a2a, 0x0304, 0x0303),
  extension(0xfafa, [0]),
];

describe("what a hello says", () => {
  test.each<[string, Uint8Array, Partial<HelloReading>]>([
    [
      "a name and protocols",
      helloFor("a.example.com", "h2", "http/1.1"),
      { alpn: ["h2", "http/1.1"], serverName: "a.example.com" },
    ],
    ["no name", helloFor(undefined), { serverName: null, alpn: [], versions: [0x0304, 0x0303], ech: false }],
    ["no extensions at all", records(message({ extensions: null })), { serverName: null, versions: [0x0303] }],
    ["an empty list of extensions", records(message({ extensions: [] })), { serverName: null, alpn: [] }],
    [
      "TLS 1.0",
      records(message({ version: 0x0301, extensions: [hostNames("old.example")] })),
      { serverName: "old.example", versions: [0x0301] },
    ],
    ["capitals and a dot at the end", helloFor("WWW.Example.COM."), { serverName: "www.example.com" }],
    [
      "GREASE everywhere",
      records(message({ suites: [0x0a, 0x0a, 0x13, 1], extensions: GREASE })),
      { serverName: "example.com", alpn: ["h2", "http/1.1"], versions: [0x0304, 0x0303] },
    ],
    [
      "ECH, with its outer name",
      records(
        message({
          extensions: [hostNames("cover.example"), extension(0xfe0d, [0, 0, 1, 0, 1, 9, 0, 0, 0, 4, 1, 2, 3, 4])],
        }),
      ),
      { serverName: "cover.example", ech: true },
    ],
    [
      "a name of another type in front",
      records(
        message({
          extensions: [extension(0, vector(2, [7, ...vector(2, [1]), 0, ...vector(2, bytesOf("a.example"))]))],
        }),
      ),
      { serverName: "a.example" },
    ],
    [
      "30 KB of other extensions",
      records(message({ extensions: [extension(21, Array(30_000).fill(0)), hostNames("late.example")] })),
      { serverName: "late.example" },
    ],
    ["a protocol that is no text", records(message({ extensions: [protocols("\xff\x00")] })), { alpn: ["\xff\x00"] }],
  ])("%s", (_, bytes, said) => {
    expect(read(bytes)).toMatchObject({ kind: "hello", ...said });
    expect(oneByOne(bytes)).toEqual(read(bytes));
  });

  test.each([
    "127.0.0.1",
    "::1",
    "[::1]",
    "1.2",
    "10",
    "a b",
    "a..b",
    ".a",
    "exa\0mple.com",
    "ex\xe4mple.com",
    "*.example.com",
    `${"a".repeat(64)}.com`,
    `${"a.".repeat(127)}ab`,
    ".",
  ])("%j is no name, and the hello is none the worse for it", (name) =>
    expect(read(helloFor(name, "h2"))).toMatchObject({ kind: "hello", serverName: null, alpn: ["h2"] }),
  );

  test("what follows it, in the same record or behind, is not looked at", () => {
    const hello = message({ extensions: [hostNames("a.example")] });
    expect(read(records([...hello, 2, 0, 0, 9]))).toMatchObject({ serverName: "a.example" });
    expect(read(Uint8Array.of(...records(hello), 23, 3, 3, 255, 255))).toMatchObject({ serverName: "a.example" });
  });
});

describe("what is wrong", () => {
  const body = (change: (bytes: number[]) => number[]) => {
    const [, , , , ...rest] = message({ extensions: [hostNames("a.example")] });
    return records([1, ...vector(3, change(rest))]);
  };
  test.each<[Uint8Array, string]>([
    [records(message({}, 2)), "a message of type 2, and no ClientHello"],
    [records([1, 0, 0, 0]), "it is empty"],
    [records([1, 1, 0, 0]), "65536 bytes; 65527 are allowed"],
    [Uint8Array.of(22, 3, 1, 0, 0), "an empty record"],
    [Uint8Array.of(22, 3, 1, 64, 1), "a record of 16385 bytes; 16384 are allowed"],
    [Uint8Array.of(...records([1, 0]), 20, 3, 3, 0, 1, 1), "a record of type 20 in the middle of it"],
    [Uint8Array.of(...records([1, 0]), 22, 2, 0, 0, 1, 1), "a record of version 2 in the middle of it"],
    [body((bytes) => bytes.slice(0, 20)), "the random value runs past the end"],
    [body((bytes) => bytes.slice(0, -1)), "the list of extensions runs past the end"],
    [body((bytes) => [...bytes, 0]), "1 bytes follow the extensions"],
    [records(message({ session: Array(33).fill(0) })), "the session id has 33 bytes; 32 are allowed"],
    [records(message({ suites: [1, 2, 3] })), "the list of cipher suites has half a suite"],
    [records(message({ suites: [] })), "the list of cipher suites has 0 bytes, and needs 2"],
    [records(message({ compression: [] })), "the list of compression methods has 0 bytes, and needs 1"],
    [records(message({ extensions: [hostNames("a"), hostNames("b")] })), "the extension 0 is there twice"],
    [records(message({ extensions: [hostNames("a", "b")] })), "there are two host names"],
    [records(message({ extensions: [extension(0, [])] })), "the list of server names runs past the end"],
    [records(message({ extensions: [extension(0, [0, 0])] })), "the list of server names has 0 bytes, and needs 1"],
    [records(message({ extensions: [extension(0, [0, 4, 0, 0, 9, 65])] })), "a server name runs past the end"],
    [
      records(message({ extensions: [extension(0, [0, 4, 0, 0, 1, 65, 66])] })),
      "1 bytes follow the list of server names",
    ],
    [records(message({ extensions: [extension(16, [0, 2, 9, 65])] })), "a protocol runs past the end"],
    [records(message({ extensions: [extension(16, [0, 2, 0, 0])] })), "a protocol has 0 bytes, and needs 1"],
    [records(message({ extensions: [extension(43, [3, 3, 4, 3])] })), "a version runs past the end"],
    [records(message({ extensions: [[0, 43, 0, 9, 1]] })), "an extension runs past the end"],
  ])("%#: %s", (bytes, why) => {
    expect(read(bytes)).toEqual({ kind: "wrong", why });
    expect(oneByOne(bytes)).toEqual({ kind: "wrong", why });
  });

  test("a hello that never ends is given up at the bound, which records of one byte reach as well", () => {
    const long = records([1, 0, 255, 247, ...Array(70_000).fill(0)]);
    expect(read(long.subarray(0, HELLO_MAX - 1))).toEqual({ kind: "more" });
    const why = `no end within ${HELLO_MAX} bytes`;
    expect(read(long)).toEqual({ kind: "wrong", why });
    expect(oneByOne(long)).toEqual({ kind: "wrong", why });
    const crumbs = records([1, 0, 100, 0, ...Array(25_000).fill(0)], 1);
    expect(oneByOne(crumbs)).toEqual({ kind: "wrong", why });
  });
});

describe("what is no TLS", () => {
  test.each<[string, string]>([
    ["GET / HTTP/1.1\r\n", "HTTP"],
    ["OPTIONS * HTTP/1.1", "HTTP"],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP"],
    ["\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", "an SSLv2 hello"],
    ["\x80\x67\x01\x03\x01\x00\x4e\x00\x00\x00\x10", "an SSLv2 hello"],
    ["\x80\x67\x01\x07", "something else"],
    ["\x80\x67\x02", "something else"],
    ["SSH-2.0-OpenSSH_9.9\r\n", "something else"],
    ["GETS", "something else"],
    ["\x16\x02", "something else"],
    ["\x15\x03\x01\x00\x02\x02\x28", "something else"],
    ["\0", "something else"],
  ])("%j: %s", (text, what) => {
    const bytes = Uint8Array.from(bytesOf(text));
    expect(read(bytes)).toEqual({ kind: "other", what } as HelloReading);
    expect(oneByOne(bytes)).toEqual({ kind: "other", what } as HelloReading);
  });
});

describe("properties", () => {
  const label = fc.stringMatching(/^[a-z0-9_-]{0,20}[a-z]$/);
  const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join("."));
  const protocol = fc.stringMatching(/^[!-~]{3,20}$/);
  const other = fc
    .tuple(fc.integer({ min: 100, max: 60_000 }), fc.uint8Array({ maxLength: 300 }))
    .map(([type, body]) => (type === 0xfe0d ? [] : extension(type, [...body])));
  const hello = fc.record({
    name: fc.option(name),
    alpn: fc.array(protocol, { maxLength: 4 }),
    before: fc.array(other, { maxLength: 3 }),
    after: fc.array(other, { maxLength: 3 }),
    size: fc.integer({ min: 1, max: 2_000 }),
    tail: fc.uint8Array({ maxLength: 50 }),
  });
  const built = hello.map(({ name, alpn, before, after, size, tail }) => {
    const said = [...(name === null ? [] : [hostNames(name)]), ...(alpn.length > 0 ? [protocols(...alpn)] : [])];
    const bytes = records(message({ extensions: [...before, ...said, ...after] }), size);
    return { name, alpn, bytes: Uint8Array.of(...bytes, ...tail), length: bytes.length };
  });
  const cutsOf = (bytes: Uint8Array) =>
    fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 20 }).map((cuts) => cuts.sort((a, b) => a - b));
  const cut = <T extends { bytes: Uint8Array }>(arbitrary: fc.Arbitrary<T>) =>
    arbitrary.chain((it) => fc.record({ it: fc.constant(it), cuts: cutsOf(it.bytes) }));

  test("any records and any segments: the same name, the same protocols, and not before the last byte", () => {
    fc.assert(
      fc.property(cut(built), ({ it: { name, alpn, bytes, length }, cuts }) => {
        expect(readIn(bytes, cuts)).toEqual({ kind: "hello", serverName: name, alpn, versions: [0x0303], ech: false });
        expect(oneByOne(bytes.subarray(0, length - 1))).toEqual({ kind: "more" });
      }),
      { numRuns: 300 },
    );
  });

  const mutated = built.chain(({ bytes }) => {
    const change = fc.tuple(fc.integer({ min: 0, max: bytes.length - 1 }), fc.integer({ min: 0, max: 255 }));
    return fc.array(change, { minLength: 1, maxLength: 6 }).map((changes) => {
      const other = bytes.slice();
      for (const [at, value] of changes) other[at] = value;
      return { bytes: other };
    });
  });
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.uint8Array({ maxLength: 400 }).map((bytes) => Uint8Array.of(22, 3, 1, ...bytes)),
    fc.uint8Array({ maxLength: 400 }).map((bytes) => records([1, ...vector(3, [...bytes])])),
  );

  test("whatever comes: nothing is thrown, and how it is cut changes nothing", () => {
    const any = fc.oneof(
      mutated,
      noise.map((bytes) => ({ bytes })),
    );
    fc.assert(
      fc.property(cut(any), ({ it: { bytes }, cuts }) => {
        const whole = read(bytes);
        expect(["more", "hello", "other", "wrong"]).toContain(whole.kind);
        expect(readIn(bytes, cuts)).toEqual(whole);
        expect(oneByOne(bytes)).toEqual(whole);
      }),
      { numRuns: 2_000 },
    );
  });

  test("a reader looks at what is new alone: 60 KB byte by byte cost about as much as in one piece", () => {
    const bytes = records(
      message({ extensions: [extension(21, Array(60_000).fill(0)), hostNames("a.example")] }),
      16_000,
    );
    let [looked, end] = [0, 0];
    const counting = new Proxy(bytes, {
      get(target, key) {
        if (key === "length") return end;
        if (typeof key === "string" && /^\d+$/.test(key)) looked++;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const reader = new HelloReader();
    let reading: HelloReading = { kind: "more" };
    while (reading.kind === "more" && end < bytes.length) {
      end++;
      reading = reader.read(counting);
    }
    expect(reading.kind).toBe("hello");
    expect(looked).toBeLessThan(10 * bytes.length);
  });
});
