/** weir as a process that speaks Toxiproxy's API, in front of an echo server, and a client of Toxiproxy as it is. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ICreateToxicBody, type Proxy as ToxicProxy, Toxiproxy } from "toxiproxy-node-client";
import { runtime } from "#runtime";
import { formatAddress, parseAddress } from "../../src/net/address.ts";
import { EchoServer } from "../../src/proxy/echo.ts";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import type { RuntimeName } from "../contract/runtimes.ts";
import { Weir } from "./weir.ts";

/** What a file needs for it. */
const SERVED = '[toxiproxy]\nlisten = "127.0.0.1:0"\n';

export interface Options {
  readonly runtime?: RuntimeName;
  readonly engine?: "portable" | "native";
  /** More of the configuration, made from the address of the echo server; null: there is no file. */
  readonly text?: ((echo: string) => string) | null;
  readonly flags?: readonly string[];
}

export async function world({ runtime: name, engine = "portable", text = () => "", flags = [] }: Options = {}) {
  const kit = new Kit(runtime);
  const echo = await EchoServer.open(runtime, LOOPBACK);
  const target = formatAddress(echo.address);
  const directory = mkdtempSync(join(tmpdir(), "weir-toxiproxy-"));
  const path = join(directory, "weir.toml");
  const write = (content: string) => writeFileSync(path, SERVED + content);
  if (text) write(text(target));
  const wanted = text ? [path] : ["--toxiproxy", "127.0.0.1:0"];
  const weir = await Weir.start(["run", ...wanted, "--metrics", "off", "--engine", engine, ...flags], name);
  const line = await weir.stdout.next((each) => each.startsWith("toxiproxy http://"));
  const url = line.slice("toxiproxy ".length);
  const api = new Toxiproxy(url);
  return {
    weir,
    url,
    api,
    kit,
    target,
    write,
    /** A proxy on a free port, in front of the echo server. */
    create: (more = {}) => api.createProxy({ name: "echo", listen: "127.0.0.1:0", upstream: target, ...more }),
    client: async ({ listen }: Pick<ToxicProxy, "listen">) =>
      new Probe(await kit.connect(parseAddress(listen, "target"))),
    /** The file has been read again. */
    async reload() {
      weir.signal("SIGHUP");
      await weir.stdout.next((each) => each.startsWith("weir: reloaded: "));
    },
    async [Symbol.asyncDispose]() {
      await kit.clean();
      await weir[Symbol.asyncDispose]();
      await echo.stop(0, Promise.resolve());
      rmSync(directory, { recursive: true });
    },
  };
}

type Body = ICreateToxicBody<Readonly<Record<string, number>>>;

/** Of everything that comes back, unless there is more to say. */
export function toxic(type: Body["type"], attributes: Body["attributes"], more: Partial<Body> = {}): Body {
  return { name: type, type, stream: "downstream", toxicity: 1, attributes, ...more };
}

/** It has come back what was sent. */
export async function echoed(client: Probe): Promise<void> {
  await client.until(() => client.closed || client.received === client.sent, "echo");
  if (client.received < client.sent) throw new Error(`closed before the echo: ${client.error?.code}`);
}

/** One round trip. */
export async function roundTrip(client: Probe): Promise<void> {
  client.write(100);
  await echoed(client);
}
