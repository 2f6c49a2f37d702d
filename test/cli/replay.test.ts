/** weir replay: what it prints, and its exit code, against a real target. */
import { afterEach, describe, expect, test } from "bun:test";
import { runtime } from "#runtime";
import type { Run } from "../../src/cli/command.ts";
import { replay } from "../../src/cli/commands/replay.ts";
import { formatAddress } from "../../src/net/address.ts";
import type { StreamSocket } from "../../src/net/runtime.ts";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { bytes, InspectWorld, play } from "../observe/inspect/world.ts";
import { fakeHost, type Outcome } from "./fake-host.ts";

let kit = new Kit(runtime);
afterEach(async () => {
  await kit.clean();
  kit = new Kit(runtime);
});

/** A target that makes everything upper case, and finishes when its client does. */
async function shouting(): Promise<string> {
  const { address } = await kit.listen(LOOPBACK, (socket: StreamSocket) => {
    socket.on({
      data: (chunk) => socket.write(bytes(new TextDecoder().decode(chunk).toUpperCase())),
      drain() {},
      end: () => socket.end(),
      close() {},
    });
    socket.resume();
  });
  return formatAddress(address);
}

/** Sessions that asked such a target, of which one got these answers. */
function recording(answers: readonly string[], format: "jsonl" | "pcap" = "jsonl"): Uint8Array {
  const world = new InspectWorld({ format });
  answers.forEach((answer, id) => {
    const exchange = [
      ["upstream", bytes("ask")],
      ["downstream", bytes(answer)],
    ] as const;
    play(world.session({ id }), exchange);
  });
  return world.files.read("record");
}

async function run(file: Uint8Array, target: string, flags: Run["flags"] = {}): Promise<Outcome> {
  const [out, err]: [string[], string[]] = [[], []];
  const host = fakeHost({ record: file }, [], out, err);
  const line = { kind: "run", positionals: ["record", target], flags } as unknown as Run;
  const openThreads = () => Promise.reject(new Error("such a command needs no threads"));
  const code = await replay({ runtime, openThreads, host, line });
  return { code, out: out.map((each) => each.replace(/\d+\.\d{3} s/, "T").replace(target, "TARGET")), err };
}

const WHO = "(127.0.0.1:50000): sent 3 bytes, got";

test.each(["jsonl", "pcap"] as const)("plays a recording (%s) and tells what came back", async (format) => {
  expect(await run(recording(["ASK"], format), await shouting(), { speed: 0 })).toEqual({
    code: 0,
    out: [`session 0 ${WHO} 3 of 3`, "1 session to TARGET in T: 1 played"],
    err: [],
  });
});

describe("--compare", () => {
  test("finds what is the same and what is not", async () => {
    const { code, out } = await run(recording(["ASK", "AsK"]), await shouting(), { speed: 0, compare: true });
    expect(out).toEqual([
      `session 0 ${WHO} 3 of 3, the same`,
      `session 1 ${WHO} 3 of 3, different from byte 1 on`,
      "2 sessions to TARGET in T: 1 same, 1 different",
    ]);
    expect(code).toBe(1);
  });

  test("of one session looks at that alone", async () => {
    const flags = { speed: 0, compare: true, session: "0" };
    const { code, out } = await run(recording(["ASK", "AsK"]), await shouting(), flags);
    expect([code, out]).toEqual([0, [`session 0 ${WHO} 3 of 3, the same`, "1 session to TARGET in T: 1 same"]]);
  });
});

test("a target that is not there fails", async () => {
  const target = await shouting();
  await kit.clean();
  const { code, out } = await run(recording(["ASK"]), target, { speed: 0 });
  expect(out.at(-1)).toBe("1 session to TARGET in T: 0 played, 1 failed");
  expect(out[0]).toContain("connection refused (ECONNREFUSED)");
  expect(code).toBe(1);
});

test("what cannot be played is left out, and what is wrong with the file is said", async () => {
  const lines = new TextDecoder().decode(recording(["ASK"])).split("\n");
  const middle = lines.slice(1).join("\n").replace('"offset":0', '"offset":5');
  const { code, out, err } = await run(bytes(`${middle}{"time`), await shouting(), { speed: 0 });
  expect(out).toEqual([
    "session 0 (127.0.0.1:50000): left out, its beginning is not in the recording",
    "1 session to TARGET in T: 0 played, 1 left out",
  ]);
  expect(err).toEqual(["weir replay: the last line is cut short and was left out"]);
  expect(code).toBe(1);
});

test("a file that is not there is one line", async () => {
  const host = fakeHost({});
  const line = { kind: "run", positionals: ["none.pcap", "127.0.0.1:1"], flags: {} } as unknown as Run;
  const openThreads = () => Promise.reject(new Error("such a command needs no threads"));
  const wrong = replay({ runtime, openThreads, host, line });
  await expect(wrong).rejects.toThrow('Cannot read the recording "none.pcap": there is no such file');
});
