/** What becomes of memberships as interfaces come and go; run in a network namespace of its own, it prints what it saw. */
import { execFileSync } from "node:child_process";
import { argv, exit, stdout } from "node:process";
import { ffi } from "#ffi";
import { runtime as host } from "#runtime";
import { Core } from "../../adapters/linux/core.ts";
import { Resolver } from "../../adapters/linux/resolver.ts";
import { linuxRuntime } from "../../adapters/linux/runtime.ts";
import { System } from "../../adapters/linux/system.ts";
import { SocketError } from "../../src/net/errors.ts";
import type { Membership } from "../../src/net/runtime.ts";

function native() {
  const core = new Core(new System(ffi, false), 1_024);
  return linuxRuntime(core, new Resolver(async () => [], host.now), host, 1_024);
}

function ip(...words: string[]): void {
  execFileSync("ip", words, { stdio: "ignore" });
}

function makeLink(): void {
  ip("link", "add", "v0", "type", "veth", "peer", "name", "v1");
  ip("address", "add", "10.9.9.1/24", "dev", "v0");
  ip("link", "set", "v0", "up");
}

const runtime = argv[2] === "linux" ? native() : host;
makeLink();
const socket = await runtime.datagram({ host: "0.0.0.0", port: 0 }, { receiveBuffer: 0 });
const membership = { group: "239.1.1.1", interface: "v0" };

function attempt(wanted: Membership): string {
  try {
    socket.join(wanted);
    return "joined";
  } catch (error) {
    return error instanceof SocketError ? error.code : String(error);
  }
}

socket.join(membership);
const joined = socket.joined(membership);
ip("link", "set", "v0", "down");
const whileDown = socket.joined(membership);
ip("link", "set", "v0", "up");
const afterUp = socket.joined(membership);
ip("link", "delete", "v0");
const deleted = socket.joined(membership);
const again = attempt(membership);
makeLink();
const there = socket.joined(membership);
socket.join(membership);
const rejoined = socket.joined(membership);
socket.leave(membership);
const left = socket.joined(membership);
// net.ipv4.igmp_max_memberships is 20 unless somebody has changed it, and at most some thousand then.
let tooMany = "joined";
for (let n = 0; n < 65_536 && tooMany === "joined"; n++) {
  tooMany = attempt({ group: `239.2.${n >> 8}.${n & 255}`, interface: "v0" });
}
stdout.write(JSON.stringify({ joined, whileDown, afterUp, deleted, again, there, rejoined, left, tooMany }));
exit();
