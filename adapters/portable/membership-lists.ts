/** The memberships of this machine as Linux shows them, in /proc/net; in the network namespace of this process. */
import { readFileSync } from "node:fs";
import { platform } from "node:process";
import { groupsOf } from "../../src/net/address.ts";
import { withoutZone } from "./endpoint.ts";
import type { Joined } from "./memberships.ts";

/**
 * Whether the kernel knows a membership, whoever has it; undefined where it does not tell. One of a source is looked
 * for among the sources that are let in.
 */
export function isMember({ group, source, ipv6, at }: Joined): boolean | undefined {
  if (platform !== "linux") return undefined;
  try {
    const all = source === undefined ? (ipv6 ? groups6() : groups4()) : sources(ipv6);
    const wanted = hexOf(group) + (source === undefined ? "" : ` ${hexOf(source)}`);
    return all.some((each) => (at === undefined || each.index === at.index) && each.what === wanted);
  } catch {
    return undefined;
  }
}

interface Line {
  readonly index: number;
  /** The group in hexadecimal, and behind it the source if there is one. */
  readonly what: string;
}

/** Lines of an interface, each followed by those of its groups, which are words of the machine's own byte order. */
function groups4(): readonly Line[] {
  const lines: Line[] = [];
  let index = 0;
  for (const line of readFileSync("/proc/net/igmp", "utf8").split("\n").slice(1)) {
    const at = /^(\d+)\s/.exec(line)?.[1];
    const group = /^\s+([0-9A-F]{8})\s/.exec(line)?.[1];
    if (at !== undefined) index = Number(at);
    if (group !== undefined) lines.push({ index, what: (group.toLowerCase().match(/../g) ?? []).reverse().join("") });
  }
  return lines;
}

/** `1    lo    ff020000000000000000000000000001     1 0000000C 0` */
function groups6(): readonly Line[] {
  return linesOf("/proc/net/igmp6").map(([index, , group = ""]) => ({ index: Number(index), what: group }));
}

/** `1     lo 0xe8010203 0x7f000002      1      0`: the interface, the group, the source, how many include and exclude it. */
function sources(ipv6: boolean): readonly Line[] {
  return linesOf(ipv6 ? "/proc/net/mcfilter6" : "/proc/net/mcfilter")
    .filter(([, , , , included]) => Number(included) > 0)
    .map(([index, , group = "", source = ""]) => ({
      index: Number(index),
      what: `${group.replace("0x", "")} ${source.replace("0x", "")}`,
    }));
}

function linesOf(path: string): readonly string[][] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => /^\s*\d/.test(line))
    .map((line) => line.trim().split(/\s+/));
}

/** An address in hexadecimal, in network order. */
function hexOf(address: string): string {
  const words = address.includes(":") ? (groupsOf(withoutZone(address)) ?? []) : address.split(".").map(Number);
  const digits = address.includes(":") ? 4 : 2;
  return words.map((word) => word.toString(16).padStart(digits, "0")).join("");
}
