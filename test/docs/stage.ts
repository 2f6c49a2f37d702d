/**
 * Plays a reader who types the commands of a document, one after the other, in a network of its own where the addresses
 * that documents name are there: 10.0.0.0/24 with servers that echo, and the names of /etc/hosts.
 *
 *     unshare --net --mount --pid --fork --kill-child --mount-proc bun test/docs/stage.ts '{"commands": […], …}'
 *
 * A command that serves runs until the end; every other has to end with 0. Prints what became of each as JSON.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import process from "node:process";
import type { Subprocess } from "bun";

export interface Scene {
  readonly commands: readonly string[];
  /** Addresses on this machine where somebody has to answer. */
  readonly servers: readonly string[];
  /** What runs before, as commands that serve. */
  readonly before: readonly string[];
  /** Somebody is connected to this address, and stays; the number of that connection stands where commands say `4711`. */
  readonly connected?: { readonly to: string; readonly admin: string };
}

export interface Played {
  readonly command: string;
  /** What came back of a few bytes that were sent through it: undefined where nobody tried. */
  readonly echoed?: string;
  /** Null: it was ended from outside by something else than its own exit. */
  readonly code: number | null;
  readonly out: string;
}

/** What every scene finds, besides what is on this machine. */
const FAR = ["tcp:80", "tcp:502", "tcp:5000", "tcp:5432", "tcp:5433", "udp:53", "udp:9920"];
const HOSTS = "127.0.0.1 localhost\n::1 localhost\n10.0.0.1 example.com db.example feed.example\n";
/** What a reader types into a command that reads what is typed. */
const TYPED = "one\ntwo\n";
const SERVES =
  /^(weir (tcp|run|mux|tap|echo|demo|as|udp (recv|forward|reverse))\b|npx .* (start|src\/main\.ts tcp)|\.\/mproxy-(server|forward|reverse))/;
/** Relays that leave what passes as it is, before servers that echo. */
const ECHOES = /^weir (echo|tap|tcp) (?!.*(tls:|--allow|--fault|--health-http))/;
export const HELLO = "hello\n";
const READY = /^(\[[^\]]*\] )?(listening|bridging|toxiproxy) |"event":"listening"/m;

if (import.meta.main) {
  const scene = JSON.parse(process.argv[2] ?? "") as Scene;
  prepare(scene);
  const played = await play(scene);
  console.log(JSON.stringify(played));
  process.exit(0);
}

function prepare({ servers }: Scene): void {
  const sh = (command: string) => execFileSync("sh", ["-ec", command], { stdio: ["ignore", "ignore", "inherit"] });
  sh("mount -t tmpfs tmpfs /run && mkdir -p /run/netns /run/postgresql && ip link set lo up");
  sh("ip netns add far && ip link add near type veth peer name eth0 netns far");
  sh("ip address add 10.0.0.254/24 dev near && ip link set near up && ip route add default dev near");
  for (const last of [1, 2, 3, 5, 7]) sh(`ip -n far address add 10.0.0.${last}/24 dev eth0`);
  sh("ip -n far link set eth0 up && ip -n far link set lo up");
  const hosts = "/run/hosts";
  writeFileSync(hosts, HOSTS);
  sh(`mount --bind ${hosts} /etc/hosts`);
  serve(
    ["ip", "netns", "exec", "far"],
    FAR.map((each) => each.replace(":", ":0.0.0.0:")),
  );
  serve([], servers);
}

/** Waits until they listen. */
function serve(inside: readonly string[], addresses: readonly string[]): void {
  if (addresses.length === 0) return;
  const ready = `/run/ready-${addresses.length}-${inside.length}`;
  const program = join(import.meta.dir, "servers.ts");
  Bun.spawn([...inside, process.execPath, program, ready, ...addresses], { stdout: "ignore", stderr: "inherit" });
  while (!Bun.spawnSync(["test", "-e", ready]).success);
}

async function play({ before, commands, connected }: Scene): Promise<Played[]> {
  const running: { command: string; child: Service; echoed?: string }[] = [];
  const played: Played[] = [];
  const end = async ({ child, ...service }: (typeof running)[number]) =>
    void played.push({ ...service, ...(await child.end()) });
  for (const command of before) running.push({ command, child: await Service.start(command) });
  const id = connected && (await connectionTo(connected.to, connected.admin));
  for (const command of commands) {
    if (SERVES.test(command)) {
      // Two ways to do the same with the same port are tried one after the other.
      const rival = running.findIndex((other) => placeOf(other.command) === placeOf(command));
      if (rival >= 0) for (const service of running.splice(rival, 1)) await end(service);
      const child = await Service.start(command);
      running.push({ command, child, ...(ECHOES.test(command) && { echoed: await visited(child.address) }) });
    } else {
      const argv = ["bash", "-c", command.replace("4711", String(id))];
      const child = Bun.spawn(argv, { stdin: new Blob([TYPED]), stdout: "pipe", stderr: "pipe" });
      const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
      played.push({ command, code: await child.exited, out: out + err });
    }
  }
  for (const service of running) await end(service);
  return played;
}

/** What comes back when somebody connects, says something, and has no more to say. */
async function visited(address: string): Promise<string> {
  let back = "";
  await new Promise<void>((resolve, reject) => {
    const socket = connect(placeTo(address), () => socket.end(HELLO));
    socket.on("data", (chunk) => {
      back += chunk;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve());
  });
  return back;
}

/** The number that weir gives to a connection which was opened now. */
async function connectionTo(address: string, admin: string): Promise<number> {
  await new Promise<void>((resolve) => {
    const socket = connect(placeTo(address), () => resolve());
    socket.on("error", () => {});
  });
  for (;;) {
    const answer = (await (await fetch(`http://${admin}/api/connections`)).json()) as { connections: { id: number }[] };
    const [first] = answer.connections;
    if (first) return first.id;
  }
}

function placeTo(address: string) {
  if (address.startsWith("unix:")) return { path: address.slice(5) };
  const [host = "", port = ""] = address.replace("[::]", "127.0.0.1").split(":");
  return { host, port: Number(port) };
}

/** What it listens on, as far as the command line says it. */
function placeOf(command: string): string {
  return command.replace(/^weir (\w+( -p \w+)?) /, "").split(" ")[0] ?? "";
}

/** A command that serves; it is ready when it says so. */
class Service {
  #out = "";
  #tell = () => {};
  readonly #child: Subprocess<"ignore", "pipe", "pipe">;

  static async start(command: string): Promise<Service> {
    const service = new Service(command);
    const ready = new Promise<void>((resolve) => {
      service.#tell = () => {
        if (READY.test(service.#out)) resolve();
      };
      service.#tell();
    });
    await Promise.race([ready, service.#child.exited]);
    return service;
  }

  private constructor(command: string) {
    this.#child = Bun.spawn(["bash", "-c", `exec ${command}`], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    for (const stream of [this.#child.stdout, this.#child.stderr]) void this.#read(stream);
  }

  /** Where it says that it listens. */
  get address(): string {
    return /"event":"listening".*?"address":"([^"]+)"|listening (\S+)/.exec(this.#out)?.slice(1).find(Boolean) ?? "";
  }

  async end(): Promise<Pick<Played, "code" | "out">> {
    this.#child.kill("SIGTERM");
    await this.#child.exited;
    return { code: this.#child.exitCode, out: this.#out };
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this.#out += decoder.decode(chunk, { stream: true });
      this.#tell();
    }
  }
}
