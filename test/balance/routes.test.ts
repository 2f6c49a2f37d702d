/** Which targets are for a client, and that all else about targets holds among those. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Pool } from "../../src/balance/pool.ts";
import { Routes, routeOf, type Said } from "../../src/balance/routes.ts";
import { type TargetShare, targetMemory } from "../../src/balance/target.ts";
import { parseTargetOptions } from "../../src/config/target-options.ts";

const said = (serverName: string | null, ...alpn: string[]): Said => ({ serverName, alpn });

/** Targets as on the command line, `a`, `b`, … by their ports, and who is for whom. */
function routing(...options: string[]) {
  const targets = options.map((each, at) => parseTargetOptions(`${at + 1}${each && ","}${each}`));
  const routes = Routes.of(targets);
  return {
    targets,
    routes,
    /** `ac`: the first and the third. */
    find(client: Said): string {
      const found = routes?.find(client) ?? [];
      return targets.map((target, at) => (found.includes(routeOf(target)) ? "abcdefgh".charAt(at) : "")).join("");
    },
  };
}

test("targets without patterns are for everybody, and nobody needs to be asked", () => {
  expect(routing("", "weight=2").routes).toBeUndefined();
  expect(Routes.of([])).toBeUndefined();
});

describe("by name", () => {
  const it = routing(
    "sni=example.com,sni=*.example.com",
    "sni=*.b.example.com",
    "sni=a.example.com",
    "sni=a.example.com",
    "",
  );
  test.each<[string | null, string]>([
    ["example.com", "a"],
    ["x.example.com", "a"],
    ["x.y.example.com", "a"],
    ["a.example.com", "cd"],
    ["b.example.com", "a"],
    ["x.b.example.com", "b"],
    ["x.y.b.example.com", "b"],
    ["notexample.com", "e"],
    ["com", "e"],
    [null, "e"],
  ])("%p", (name, found) => {
    expect(it.find(said(name))).toBe(found);
  });

  test("who speaks no TLS gets a target for everybody, if there is one", () => {
    expect(it.find(null)).toBe("e");
    expect(it.routes?.plain).toBe(true);
    expect(routing("sni=a.example", "alpn=h2").routes?.plain).toBe(false);
    expect(routing("sni=a.example", "alpn=h2").find(null)).toBe("");
  });
});

describe("by protocol", () => {
  const it = routing(
    "alpn=h2",
    "alpn=http/1.1,alpn=h2",
    "",
    "sni=a.example,alpn=h3",
    "sni=*.example,alpn=h2",
    "sni=a.example,alpn=imap",
  );
  test.each<[string | null, string[], string]>([
    [null, ["h2", "http/1.1"], "ab"],
    [null, ["http/1.1", "h2"], "b"],
    [null, ["spdy/3", "http/1.1"], "b"],
    [null, ["spdy/3"], "c"],
    [null, [], "c"],
    ["a.example", ["imap", "h3"], "f"],
    // The name itself is for other protocols; what is less specific goes on.
    ["a.example", ["h2"], "e"],
    ["a.example", ["http/1.1"], "b"],
    ["a.example", [], "c"],
  ])("%p %p", (name, alpn, found) => {
    expect(it.find(said(name, ...alpn))).toBe(found);
  });

  test("why there is none, and what the client is told", () => {
    const only = routing("sni=a.example,alpn=h2", "sni=b.example").routes;
    const lack = (client: Said) => [only?.find(client).length, only?.lack(client).alert];
    expect(lack(said("c.example"))).toEqual([0, "unrecognized_name"]);
    expect(lack(said(null))).toEqual([0, "missing_extension"]);
    expect(lack(said("a.example", "h3"))).toEqual([0, "no_application_protocol"]);
    expect(only?.lack(null).why).toBe("no target is for what is no TLS");
  });
});

test("the same as looking at every pattern of every target", () => {
  const label = fc.constantFrom("a", "b", "c");
  const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
  const pattern = fc.tuple(fc.boolean(), name).map(([wild, text]) => (wild ? `*.${text}` : text));
  const protocol = fc.constantFrom("h2", "h3", "x");
  const list = <T>(each: fc.Arbitrary<T>) =>
    fc.option(fc.uniqueArray(each, { minLength: 1, maxLength: 3 }), { nil: undefined, freq: 3 });
  const target = fc.record({ sni: list(pattern), alpn: list(protocol) }).map(({ sni, alpn }) => ({
    ...(sni && { sni }),
    ...(alpn && { alpn }),
  }));
  const client = fc.record({ serverName: fc.option(name), alpn: fc.uniqueArray(protocol, { maxLength: 3 }) });
  fc.assert(
    fc.property(fc.array(target, { minLength: 1, maxLength: 6 }), client, (targets, client) => {
      const rank = (each: (typeof targets)[number]): readonly [number, number] | undefined => {
        const own = client.serverName;
        const names = (each.sni ?? []).map((text) => {
          if (own === null) return 0;
          if (text === own) return 1_000;
          return text.startsWith("*") && own.endsWith(text.slice(1)) ? text.length : 0;
        });
        const liked = client.alpn.findIndex((protocol) => each.alpn?.includes(protocol));
        if (each.sni && Math.max(...names) === 0) return undefined;
        if (each.alpn && liked < 0) return undefined;
        return [each.sni ? Math.max(...names) : 0, each.alpn ? 100 - liked : 0];
      };
      const order = (one: readonly [number, number]) => one[0] * 1_000 + one[1];
      const ranks = targets.map(rank);
      const best = Math.max(...ranks.map((each) => (each ? order(each) : -1)));
      const expected = targets.filter((_, at) => ranks[at] && order(ranks[at]) === best).map(routeOf);
      const routes = Routes.of(targets);
      const found = routes ? routes.find(client) : targets.map(routeOf);
      expect([...new Set(found)].sort()).toEqual([...new Set(expected)].sort());
    }),
    { numRuns: 1_000 },
  );
});

describe("among the targets of a client", () => {
  function pool(...options: string[]) {
    const { targets } = routing(...options);
    const it = new Pool("tls", { balance: "round_robin", slowStart: 0, noneHealthy: "refuse", targets }, 0, () => 0);
    const shares = targets.map((target, at): TargetShare => {
      const { address: _, ...config } = target;
      return {
        address: { kind: "tcp", host: "abcdefgh".charAt(at), port: 1 },
        config,
        memory: targetMemory(1, config.weight),
      };
    });
    it.replace(shares);
    return it;
  }
  const pick = (it: Pool, client: Said, count = 1) =>
    Array.from({ length: count }, () => {
      const choice = it.choose({ host: "", said: client }, []);
      return typeof choice === "string" ? choice : choice.name.charAt(0);
    }).join("");

  test("strategy and weights hold", () => {
    const it = pool("sni=x.example,weight=2", "sni=y.example", "sni=x.example", "");
    expect(pick(it, said("x.example"), 6)).toBe("acaaca");
    expect(pick(it, said("y.example"), 2)).toBe("bb");
    expect(pick(it, said("z.example"), 2)).toBe("dd");
  });

  test("limits and backups hold, and nobody goes to a target for others because of them", () => {
    const it = pool("sni=x.example,max_connections=1", "sni=x.example,backup,max_connections=1", "", "sni=*.example");
    expect(pick(it, said("x.example"))).toBe("a");
    expect(pick(it, said("x.example"))).toBe("busy");
    it.targets[0]?.judged(false, 0);
    expect(pick(it, said("x.example"))).toBe("b");
    expect(pick(it, said("x.example"))).toBe("busy");
    it.targets[1]?.judged(false, 0);
    expect(pick(it, said("x.example"))).toBe("none");
    expect(pick(it, said("y.example"))).toBe("d");
  });

  test("a target that is not there yet is missed: its clients go nowhere else", () => {
    const { targets } = routing("sni=x.example", "");
    const it = pool("sni=x.example", "");
    it.replace([
      {
        address: { kind: "tcp", host: "b", port: 1 },
        config: targets[1] ?? {},
        memory: targetMemory(1, 1),
      } as TargetShare,
    ]);
    expect(pick(it, said("x.example"))).toBe("none");
    expect(pick(it, said("y.example"))).toBe("b");
  });

  test("another configuration is another choice", () => {
    const it = pool("sni=x.example");
    expect(pick(it, said("y.example"))).toBe("unrouted");
    const { targets } = routing("sni=y.example");
    const settings = { balance: "first", slowStart: 0, noneHealthy: "refuse", targets } as const;
    it.configure(settings);
    it.replace([
      {
        address: { kind: "tcp", host: "a", port: 1 },
        config: targets[0] ?? {},
        memory: targetMemory(1, 1),
      } as TargetShare,
    ]);
    expect([pick(it, said("x.example")), pick(it, said("y.example"))]).toEqual(["unrouted", "a"]);
  });
});
