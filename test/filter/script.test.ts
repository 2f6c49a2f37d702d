/** Scripts: what users' own filters are given, what they may do, and what becomes of those that fail. */
import { describe, expect, test } from "bun:test";
import { createFilter } from "../../src/filter/filter.ts";
import type { FilterHandlers, FilterOut, FilterSession, ScriptConfig, ScriptFilter } from "../../src/filter/script.ts";
import type { StepContext } from "../../src/filter/step.ts";
import { Rig } from "./rig.ts";

const CONFIG: ScriptConfig = { type: "script", direction: "both", path: "./my.ts", options: { greeting: "hi" } };
const SESSION = { id: 7, client: "10.0.0.1:5000", target: "10.0.0.2:80", proxy: "db" };

interface Session {
  readonly upstream: Rig;
  readonly downstream: Rig;
}

/** Both directions of one session. */
function scripted(filter: ScriptFilter | undefined, more: Partial<ScriptConfig> = {}): Session {
  const scripts = new Map(filter ? [[CONFIG.path, filter]] : []);
  const make = createFilter({ ...CONFIG, ...more }, { session: SESSION, scripts });
  const steps = (context: StepContext) => [make(context)].filter((step) => step !== undefined);
  return { upstream: new Rig(steps, 1, "upstream"), downstream: new Rig(steps, 1, "downstream") };
}

function handling(handlers: FilterHandlers): Session {
  return scripted(() => handlers);
}

function stop({ upstream, downstream }: Session): void {
  upstream.path.stop();
  downstream.path.stop();
}

test("is called once for a session and told which", () => {
  const sessions: FilterSession[] = [];
  scripted((session) => {
    sessions.push(session);
    return undefined;
  });
  expect(sessions).toEqual([{ ...SESSION, options: { greeting: "hi" } }]);
});

test("bytes that it does not want pass as they are", () => {
  for (const filter of [() => undefined, () => ({}), () => ({ downstream: () => {} })]) {
    const { upstream } = scripted(filter);
    upstream.stall(true);
    upstream.send("abc", "def");
    expect(upstream.waiting).toBe(1);
    upstream.stall(false);
    upstream.finish();
    expect([upstream.text, upstream.fins]).toEqual(["abcdef", 1]);
  }
});

test("nothing passes but what it writes", () => {
  const { upstream, downstream } = handling({
    upstream: (chunk, out) => {
      out.write(chunk.subarray(0, 1));
      out.write("ü");
      out.write(new Uint8Array(0));
    },
    downstream: () => {},
  });
  upstream.send("abc", "def");
  downstream.send("xyz");
  expect([upstream.text, downstream.text, upstream.misuses]).toEqual(["aüdü", "", []]);
});

test("its handlers are methods of what it returned", () => {
  class Counter {
    #bytes = 0;
    upstream(chunk: Uint8Array, out: FilterOut): void {
      this.#bytes += chunk.length;
      out.write(`${this.#bytes} `);
    }
    end(direction: string, out: FilterOut): void {
      out.write(`${direction} ${this.#bytes}`);
    }
  }
  const { upstream } = scripted(() => new Counter());
  upstream.send("abc", "de");
  upstream.finish();
  expect(upstream.text).toBe("3 5 upstream 5");
});

test("a sink that is full holds the source back, and nothing is lost", () => {
  const { upstream } = handling({
    upstream: (chunk, out) => {
      for (const byte of chunk) out.write(new Uint8Array([byte, byte]));
    },
  });
  upstream.stall(true);
  upstream.send("abc", "def");
  expect([upstream.text, upstream.waiting]).toEqual(["aabbcc", 1]);
  upstream.stall(false);
  expect(upstream.text).toBe("aabbccddeeff");
});

test("is for one direction if the configuration says so", () => {
  const shout: FilterHandlers["upstream"] = (chunk, out) => out.write(new TextDecoder().decode(chunk).toUpperCase());
  const { upstream, downstream } = scripted(() => ({ upstream: shout, downstream: shout }), { direction: "upstream" });
  upstream.send("abc");
  downstream.send("abc");
  expect([upstream.text, downstream.text]).toEqual(["ABC", "abc"]);
});

test("what it writes to the other direction passes, as long as that has not ended", () => {
  const outs: FilterOut[] = [];
  const { upstream, downstream } = handling({
    downstream: (chunk, out) => {
      outs.push(out);
      out.write(chunk);
    },
    upstream: () => outs[0]?.write("echo "),
  });
  downstream.send("hello ");
  upstream.send("x");
  downstream.finish();
  upstream.send("x");
  expect([downstream.text, downstream.fins, downstream.misuses]).toEqual(["hello echo ", 1, []]);
});

test("hears of the end of a session once, when both directions are over", () => {
  let closed = 0;
  const session = handling({ close: () => void closed++ });
  session.upstream.path.stop();
  session.upstream.path.stop();
  expect(closed).toBe(0);
  stop(session);
  stop(session);
  expect(closed).toBe(1);
});

describe("ends its session", () => {
  test("with FIN, behind what it has written", () => {
    let ends = 0;
    const { upstream, downstream } = handling({
      upstream: (_, out) => {
        out.write("bye");
        out.close("enough");
        out.write("more");
        out.close("again");
      },
      downstream: (chunk, out) => out.write(chunk),
      end: () => void ends++,
    });
    upstream.send("a");
    expect(upstream.endings).toEqual([{ at: 0, how: "close", reason: "rejected", rule: "./my.ts: enough" }]);
    expect([upstream.text, upstream.fins, upstream.misuses]).toEqual(["bye", 1, []]);
    // As the session does with the other direction.
    downstream.send("late");
    downstream.finish();
    expect([downstream.text, downstream.fins, ends]).toEqual(["", 1, 0]);
  });

  test("with RST, at once", () => {
    const { upstream, downstream } = handling({ upstream: (_, out) => out.reset("no"), downstream: () => {} });
    upstream.send("a");
    expect(upstream.endings).toEqual([{ at: 0, how: "cut", reason: "rejected", rule: "./my.ts: no" }]);
    downstream.finish();
    expect([upstream.text, upstream.fins, downstream.fins]).toEqual(["", 0, 0]);
  });

  test("from its last words", () => {
    const { upstream } = handling({ end: (_, out) => out.close("done") });
    upstream.send("a");
    upstream.finish();
    expect([upstream.text, upstream.fins, upstream.misuses, upstream.endings.length]).toEqual(["a", 1, [], 1]);
  });
});

describe("one that fails ends its session and no other:", () => {
  const fail = (): never => {
    throw new RangeError("oh");
  };
  const closeAndFail = (_: Uint8Array, out: FilterOut): never => {
    out.close("x");
    return fail();
  };
  const failed = { how: "cut", reason: "filter_failed" } as const;

  test.each<[string, FilterHandlers, (rig: Rig) => void]>([
    ["bytes", { upstream: fail }, (rig) => rig.send("abc")],
    ["the FIN", { end: fail }, (rig) => rig.finish()],
    ["bytes, after it has closed", { upstream: closeAndFail }, (rig) => rig.send("abc")],
  ])("in a handler for %s", (_, handlers, act) => {
    const session = handling(handlers);
    const other = handling({ downstream: (chunk, out) => out.write(chunk) });
    act(session.upstream);
    expect(session.upstream.endings.at(-1)).toEqual({ at: 0, ...failed, rule: "./my.ts: RangeError: oh" });
    session.upstream.path.write(new Uint8Array(1));
    session.downstream.send("x");
    session.downstream.finish();
    expect([session.upstream.text, session.downstream.text, session.downstream.fins]).toEqual(["", "", 0]);
    other.downstream.send("fine");
    expect(other.downstream.text).toBe("fine");
  });

  test("in the factory, before a byte has passed and not before the session is there", async () => {
    const { upstream, downstream } = scripted(fail);
    upstream.send("secret");
    upstream.finish();
    downstream.send("secret");
    expect(upstream.endings).toEqual([]);
    await upstream.run(1);
    expect(upstream.endings).toEqual([{ at: 0, ...failed, rule: "./my.ts: RangeError: oh" }]);
    expect([upstream.text, upstream.fins, downstream.text, downstream.endings]).toEqual(["", 0, "", []]);
  });

  test("in the factory of a session that has gone by then", () => {
    const session = scripted(fail);
    stop(session);
    expect([session.upstream.timers, session.upstream.endings]).toEqual([0, []]);
  });

  test("when it is not there", async () => {
    const { upstream } = scripted(undefined);
    await upstream.run(1);
    expect(upstream.endings[0]?.rule).toBe("./my.ts: Error: the module is not loaded");
  });

  test("in close", () => {
    const session = handling({ close: fail });
    stop(session);
    expect(session.downstream.endings).toEqual([{ at: 0, ...failed, rule: "./my.ts: RangeError: oh" }]);
  });

  test("by being async", async () => {
    const words = "./my.ts: TypeError: filters and their handlers must not be async";
    const handler = handling({ upstream: async () => fail() });
    handler.upstream.send("abc");
    expect(handler.upstream.endings[0]?.rule).toBe(words);
    const factory = scripted((async () => fail()) as unknown as ScriptFilter);
    await factory.upstream.run(1);
    expect(factory.upstream.endings[0]?.rule).toBe(words);
  });

  test("by throwing what is no error, or writing what are no bytes", () => {
    const odd = handling({
      upstream: () => {
        throw "text";
      },
    });
    odd.upstream.send("abc");
    expect(odd.upstream.endings[0]?.rule).toBe("./my.ts: text");
    const number = handling({ upstream: (_, out) => out.write(5 as unknown as string) });
    number.upstream.send("abc");
    expect(number.upstream.endings[0]?.rule).toBe("./my.ts: TypeError: out.write() takes a Uint8Array or a string");
  });
});
