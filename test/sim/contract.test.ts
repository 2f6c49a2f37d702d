/** The simulated network keeps the contract that adapters keep, so what weir meets there it can meet outside. */
import { expect, test } from "bun:test";
import type { Failure, Zone } from "../contract/dns-server.ts";
import { Kit } from "../contract/kit.ts";
import { cases } from "../contract/suite.ts";
import { Random } from "../peers/random.ts";
import { Clock } from "./clock.ts";
import type { MemoryFiles } from "./files.ts";
import { type Answer, Network } from "./network.ts";
import { EASY, Process } from "./process.ts";
import { runtimeOf } from "./runtime.ts";

/** Real time, real files, real HTTP, real processes, real memory, or what an address means to a real kernel. */
const OUTSIDE: readonly string[] = [
  "the exact time never goes back, is on the clock of now, and goes on within a turn",
  "a host name is resolved",
  "a listener on :: takes IPv4 too and shows the client as IPv4",
  "a socket file goes with its listener, a stale one is replaced, a live one is EADDRINUSE",
  "a directory or a plain file in place of the socket file is refused and left alone",
  "connect refused is ECONNREFUSED, a missing socket file ENOENT",
  "a connection comes from the source address that is asked for, and EADDRNOTAVAIL from a foreign one",
  "a silent host is ETIMEDOUT, again and again, and a cancelled attempt ECANCELED",
  "who asks to be told hears once, later, what a promise would have become",
  "after one timeout, further attempts at the same silent host leave no descriptor behind",
  "a unix peer that closes is no reset: all its bytes, its end, a clean close",
  "a datagram socket on :: takes IPv4 too, shows its sender as IPv4 and answers it",
  "a datagram port on an address of another machine is EADDRNOTAVAIL",
  "a new file belongs to its owner alone",
  "a directory that is missing is ENOENT, a directory in place of the file EISDIR",
  "a full disk is ENOSPC, and nothing of what it did not take is in the file",
  "a FIFO that nobody reads is ENXIO at once, and one that is read gets whole chunks",
  "a descriptor is written to where it stands, and stays open",
  "a file is read from its beginning to its end",
  "a descriptor is read from where it stands, and stays open",
  "a paused input gives nothing, and one that is closed says nothing more",
  "what cannot be read is an error by name",
  "pause really stops reading: 500 MB against a stalled reader stay bounded, then all arrive",
  "closing accepts who waits at a port while the process stands still",
  "closing accepts who waits at a socket file while the process stands still",
  "a million one-byte writes to a stalled reader cost little memory",
  "a paused listener on a socket file keeps the file, and takes it away when it closes",
  "a closed port in place of a DNS server is EAI_AGAIN",
  "a DNS server that fails or says nothing is made up for by the next",
  "a lost question is asked once more, over IPv6 as well",
  "an answer that is too big for a datagram comes whole",
  "without a server the machine is asked, with its hosts file",
  "a server that is no IP address with a port is refused",
  "questions leave no descriptor behind, answered or not",
  "serve answers HTTP on a port it reports, and is gone after close",
  "serve refuses oversized headers and goes on",
];

const WEATHER = {
  latency: 1,
  segment: 1 << 20,
  sendBuffer: 4 << 20,
  receiveBuffer: 4 << 20,
  resetOvertakes: false,
};

/** Where weir asks a DNS server, the simulation has tables. */
class SimKit extends Kit {
  readonly #network: Network;
  readonly #files: MemoryFiles;

  constructor(network: Network, process: Process) {
    super(runtimeOf(network, process));
    this.#network = network;
    this.#files = process.files;
  }

  override content(path: string): Uint8Array {
    return this.#files.read(path);
  }

  override async dns(zone: Zone): Promise<string> {
    for (const [name, { A = [], AAAA = [], SRV = [] }] of Object.entries(zone)) {
      const addresses = [A, AAAA].flatMap((records) => (typeof records === "string" ? [] : records));
      const failure = [A, AAAA].find((records) => typeof records === "string");
      this.#network.names.set(name, addresses.length > 0 ? addresses : answerOf(failure ?? []));
      this.#network.services.set(name, answerOf(SRV));
    }
    return "10.0.0.53:53";
  }
}

function answerOf<T>(records: readonly T[] | Failure): Answer<T> {
  if (typeof records !== "string") return records;
  return records === "silence" ? "silence" : records === "NXDOMAIN" ? "ENOTFOUND" : "EAI_AGAIN";
}

// TLS is that of the runtimes: the simulation refuses it by name.
for (const each of cases.filter(({ name }) => !OUTSIDE.includes(name) && !name.startsWith("TLS: "))) {
  test(each.name, async () => {
    const random = new Random(7);
    const clock = new Clock(random);
    const network = new Network(clock, random, () => WEATHER);
    const process = new Process("contract", clock, random, { ...EASY, read: 1 << 20, links: true });
    const kit = new SimKit(network, process);
    let outcome: unknown;
    let over = false;
    each.run(kit).then(
      () => {
        over = true;
      },
      (error) => {
        over = true;
        outcome = error;
      },
    );
    for (let idle = 0; !over && idle < 5; idle++) {
      await clock.run(() => over, Number.POSITIVE_INFINITY);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(outcome).toBeUndefined();
    expect(over).toBe(true);
  });
}
