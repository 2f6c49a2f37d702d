/** The machine's network interfaces, for every adapter; in worker threads as well. */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { platform } from "node:process";
import { isIPv4, isIPv6 } from "../../src/net/address.ts";
import { SocketError } from "../../src/net/errors.ts";
import type { NetworkInterface } from "../../src/net/runtime.ts";
import { sameHost, withoutZone } from "./endpoint.ts";

/** Those that are up and have an address, each once. */
export function interfaces(): readonly NetworkInterface[] {
  const numbers = indexes();
  return Object.entries(networkInterfaces()).map(([name, addresses = []]) => {
    // An address of the link says what its interface is numbered by; all of Windows and macOS have one.
    const scope = addresses.map((each) => (each.family === "IPv6" ? each.scopeid : 0)).find((id) => id > 0);
    const index = numbers.get(name) ?? scope;
    return {
      name,
      ...(index !== undefined && { index }),
      addresses: addresses.map(({ address }) => withoutZone(address)),
      loopback: addresses.some(({ internal }) => internal),
    };
  });
}

/** The interface that a user named, or that has the address a user named. Throws `ENODEV`. */
export function interfaceOf(nameOrAddress: string): NetworkInterface {
  const all = interfaces();
  const numeric = isIPv4(nameOrAddress) || isIPv6(nameOrAddress);
  const found = numeric
    ? all.find(({ addresses }) => addresses.some((address) => sameHost(address, nameOrAddress)))
    : all.find(({ name }) => name === nameOrAddress);
  if (found) return found;
  // One without an address has no place in the list of interfaces, and can do multicast all the same.
  const index = indexes().get(nameOrAddress);
  if (index !== undefined) return { name: nameOrAddress, index, addresses: [], loopback: false };
  const names = all.map(({ name }) => name).join(", ");
  throw new SocketError(
    "ENODEV",
    numeric
      ? `No network interface that is up has the address ${nameOrAddress} (ENODEV); there are ${names}`
      : `There is no network interface "${nameOrAddress}" (ENODEV); there are ${names}`,
  );
}

/**
 * What Linux numbers its interfaces by. Each that is up is a member of a group of IPv4 or IPv6 (all hosts of its
 * link), so the lists of memberships have them all; those are of our own network namespace, as /sys may not be.
 */
function indexes(): ReadonlyMap<string, number> {
  const known = new Map<string, number>();
  if (platform !== "linux") return known;
  for (const file of ["/proc/net/igmp", "/proc/net/igmp6"]) {
    for (const [, index, name = ""] of read(file).matchAll(/^(\d+)\s+(\S+)/gm)) known.set(name, Number(index));
  }
  return known;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // A kernel without IPv6, or without a /proc.
    return "";
  }
}
