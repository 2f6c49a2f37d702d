/** Rules, room, balance and PROXY headers together, as a program under each runtime and engine. */
import { expect, test } from "bun:test";
import { runtime } from "#runtime";
import { formatAddress } from "../../src/net/address.ts";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { Weir } from "./weir.ts";

const KINDS = [
  ["bun", "native"],
  ["bun", "portable"],
  ["deno", "native"],
  ["deno", "portable"],
  ["node", "portable"],
] as const;

const FLAGS = [
  "--balance round_robin --max-connections 2 --queue-timeout 50s --max-connections-per-source 50 --rate 1000/s",
  "--deny 127.0.0.9 --schedule 00:00-24:00 --health-interval 1m --send-proxy v1 --metrics 127.0.0.1:0",
]
  .join(" ")
  .split(" ");

test.each(KINDS)(
  "under %s, %s, everything works at once",
  async (name, engine) => {
    const kit = new Kit(runtime);
    const arrived: { target: number; probe: Probe }[] = [];
    let wake = () => {};
    const listeners = await Promise.all(
      [0, 1].map((target) =>
        kit.listen(LOOPBACK, (socket) => {
          const probe = new Probe(socket);
          probe.raw = true;
          // The health check of the start says who it is, too; clients say more.
          probe.onData = () => {
            if (!text(probe).startsWith("PROXY TCP4") || !text(probe).endsWith("!")) return;
            arrived.push({ target, probe });
            wake();
          };
        }),
      ),
    );
    const targets = listeners.map(({ address }) => formatAddress(address));
    await using weir = await Weir.start(["tcp", "127.0.0.1:0", ...targets, "--engine", engine, ...FLAGS], name);
    const port = await weir.port();
    const metrics = (await weir.stdout.next((line) => line.startsWith("metrics "))).slice("metrics ".length);
    const address = { kind: "tcp", host: "127.0.0.1", port } as const;
    const client = async () => {
      const probe = new Probe(await kit.connect(address));
      probe.writeText("!");
      return probe;
    };
    const arrivals = async (count: number) => {
      while (arrived.length < count) await new Promise<void>((resolve) => (wake = resolve));
    };

    const refused = await kit.connect(address, { source: "127.0.0.9" }).catch(() => undefined);
    if (refused) expect(await new Probe(refused).untilClose()).toBe("ECONNRESET");

    const first = await client();
    await arrivals(1);
    await client();
    await arrivals(2);
    expect(arrived.map(({ target }) => target).sort()).toEqual([0, 1]);
    expect(text(arrived[0]?.probe)).toMatch(new RegExp(`^PROXY TCP4 127.0.0.1 127.0.0.1 \\d+ ${port}\r\n!$`));

    await client();
    const queue = async () => /^weir_queue_length\{.*\} (\d+)$/m.exec(await (await fetch(metrics)).text())?.[1];
    while ((await queue()) !== "1");
    expect(arrived.length).toBe(2);
    first.abort();
    await arrivals(3);
    const page = await (await fetch(metrics)).text();
    expect(page).toContain('weir_connections_denied_total{proxy="proxy-1",by="deny"} 1\n');
    expect(page).toContain('weir_queue_length{proxy="proxy-1"} 0\n');
    await kit.clean();
  },
  30_000,
);

function text(probe: Probe | undefined): string {
  return new TextDecoder().decode(probe?.bytes);
}
