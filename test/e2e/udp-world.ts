/** What tests of `weir udp` stand on: the program with something to read, receivers, and networks of their own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { command, type RuntimeName } from "../contract/runtimes.ts";
import { Watch } from "../contract/watch.ts";
import { haveTool } from "./tools.ts";
import { Lines } from "./weir.ts";

/** A program with a standard input that the test writes. */
export class Program implements AsyncDisposable {
  readonly stdout: Lines;
  readonly stderr: Lines;
  readonly #child: Subprocess<"pipe", "pipe", "pipe">;

  /** `weir udp ARGS`, without metrics. */
  static async udp(
    args: readonly string[],
    prefix: readonly string[] = [],
    runtime: RuntimeName = "bun",
  ): Promise<Program> {
    return new Program([...prefix, ...(await command(runtime, "src/main.ts")), "udp", ...args, "--metrics", "off"]);
  }

  constructor(argv: readonly string[], options: { cwd?: string; env?: Record<string, string | undefined> } = {}) {
    this.#child = Bun.spawn([...argv], { ...options, stdin: "pipe", stdout: "pipe", stderr: "pipe" });
    this.stdout = new Lines(this.#child.stdout);
    this.stderr = new Lines(this.#child.stderr);
  }

  /** Where its ends really are, sources first, as the line `bridging A, B -> C` says; `lines`: which stream has it. */
  async ends(lines: Lines = this.stdout): Promise<string[]> {
    const line = await lines.next((text) => text.startsWith("bridging "));
    return line.slice("bridging ".length).split(/, | -> /);
  }

  type(text: string): void {
    this.#child.stdin.write(text);
    this.#child.stdin.flush();
  }

  async endOfInput(): Promise<void> {
    await this.#child.stdin.end();
  }

  /** Asks it to end, and gives its exit code. */
  async stop(): Promise<number> {
    this.#child.kill("SIGTERM");
    return this.#child.exited;
  }

  exit(): Promise<number> {
    return this.#child.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}

/** The port at the end of an address. */
export function portOf(address: string | undefined): number {
  return Number(/:(\d+)(?:%.*)?$/.exec(address ?? "")?.[1]);
}

/** A UDP socket of the test. */
export class Receiver extends Watch implements Disposable {
  readonly got: string[] = [];
  readonly #socket: Awaited<ReturnType<typeof bind>>;

  static async open(): Promise<Receiver> {
    const receivers: Receiver[] = [];
    const socket = await bind((text) => receivers[0]?.take(text));
    const receiver = new Receiver(socket);
    receivers.push(receiver);
    return receiver;
  }

  private constructor(socket: Awaited<ReturnType<typeof bind>>) {
    super();
    this.#socket = socket;
  }

  get address(): string {
    return `127.0.0.1:${this.#socket.port}`;
  }

  send(text: string, port: number): void {
    this.#socket.send(text, port, "127.0.0.1");
  }

  /** Resolves when all of these have come, with whatever else. */
  async has(...texts: string[]): Promise<void> {
    await this.until(() => texts.every((text) => this.got.includes(text)), texts.join(", "));
  }

  take(text: string): void {
    this.got.push(text);
    this.wake();
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

function bind(message: (text: string) => void) {
  const data = (_: unknown, chunk: Uint8Array) => message(new TextDecoder().decode(chunk));
  return Bun.udpSocket({ hostname: "127.0.0.1", port: 0, binaryType: "uint8array", socket: { data } });
}

/** A folder that is gone with the test. */
export function folder(): { path: string; file(name: string): string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "weir-udp-"));
  return {
    path,
    file: (name) => join(path, name),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Networks of the test's own: none of their ports is anybody else's. */
export const CAN_NETWORK = haveTool("ip") && canNetwork();

function canNetwork(): boolean {
  const name = nameOf("try");
  const made = Bun.spawnSync(["ip", "netns", "add", name], { stderr: "ignore" }).exitCode === 0;
  if (made) ip("netns", "del", name);
  else console.log("skipping what needs network namespaces: this user may not make them");
  return made;
}

export interface Network extends Disposable {
  /** What goes before the command line of a program in it. */
  readonly inside: readonly string[];
  readonly name: string;
}

let networks = 0;

/** With nothing but its loopback interface. */
export function network(): Network {
  const name = nameOf(String(networks++));
  ip("netns", "add", name);
  ip("-n", name, "link", "set", "lo", "up");
  return { name, inside: ["ip", "netns", "exec", name], [Symbol.dispose]: () => ip("netns", "del", name) };
}

/** Joins two by interfaces named `wire`, with addresses of both families. */
export function joinNetworks(a: Network, b: Network): void {
  ip("link", "add", "wire", "netns", a.name, "type", "veth", "peer", "name", "wire", "netns", b.name);
  for (const [index, { name }] of [a, b].entries()) {
    ip("-n", name, "addr", "add", `10.77.0.${index + 1}/24`, "dev", "wire");
    ip("-n", name, "addr", "add", `fd77::${index + 1}/64`, "dev", "wire", "nodad");
    ip("-n", name, "link", "set", "wire", "addrgenmode", "none", "up");
    // Not made by the kernel, it need not prove that it is alone, which takes seconds.
    ip("-n", name, "addr", "add", `fe80::${index + 1}/64`, "dev", "wire", "nodad");
  }
}

function nameOf(what: string): string {
  return `weir-udp-${process.pid}-${what}`;
}

function ip(...args: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(["ip", ...args], { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr}`);
}
