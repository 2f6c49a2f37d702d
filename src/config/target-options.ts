/** A target on the command line: its address, and behind commas what files say in a table. */
import { UsageError } from "../net/errors.ts";
import { parseAlpn, parseServerPattern } from "../tls/server-name.ts";
import { parsePlainTarget, type TargetConfig, WEIGHT_MAX } from "./config.ts";
import { nearest } from "./nearest.ts";
import { COUNT_MAX } from "./units.ts";

/**
 * Reads a target with its options: `weight=N`, `backup`, `max_connections=N`, and, each of them as often as wanted,
 * `sni=NAME` and `alpn=PROTOCOL`.
 *
 * @example parseTargetOptions("10.0.0.2:80,weight=2").weight // 2
 * @throws {UsageError} `EADDRESS` or `ETARGET`, naming the text, what is wrong with it and what to write instead.
 */
export function parseTargetOptions(text: string): TargetConfig {
  const [address = "", ...options] = text.split(",");
  const fail: Fail = (why) => {
    throw new UsageError("ETARGET", `Cannot parse target "${text}": ${why}`);
  };
  const target = parsePlainTarget(address);
  const given = new Map<string, Setting>();
  for (const option of options) {
    const [name, setting] = readOption(option, fail);
    const before = given.get(name);
    const [list, more] = name === "sni" || name === "alpn" ? [before?.[name] ?? [], setting[name] ?? []] : [[], []];
    if (before && more.length === 0) fail(`"${name}" is given twice; keep one`);
    for (const each of more) if (list.includes(each)) fail(`"${name}=${each}" is given twice; keep one`);
    given.set(name, more.length > 0 ? { [name]: [...list, ...more] } : setting);
  }
  return Object.assign(target, ...given.values());
}

type Fail = (why: string) => never;
type Setting = Partial<TargetConfig>;

const KNOWN = ["weight", "backup", "max_connections", "sni", "alpn"] as const;
type Name = (typeof KNOWN)[number];

function readOption(option: string, fail: Fail): [name: Name, setting: Setting] {
  const [, written = "", value] = /^([^=]*)(?:=(.*))?$/s.exec(option) ?? [];
  const name = KNOWN.find((each) => each === written);
  if (name === undefined) {
    const meant = nearest(written, KNOWN);
    return fail(`unknown option "${written}"; ${meant ? `did you mean "${meant}"?` : `use ${KNOWN.join(", ")}`}`);
  }
  if (name === "backup") {
    return value === undefined ? [name, { backup: true }] : fail('"backup" takes no value; write it alone');
  }
  if (name === "sni") return [name, { sni: [parseServerPattern(value ?? "")] }];
  if (name === "alpn") return [name, { alpn: [parseAlpn(value ?? "")] }];
  const most = name === "weight" ? WEIGHT_MAX : COUNT_MAX;
  const number = Number(value);
  if (!/^\d+$/.test(value ?? "") || number > most) return fail(`write ${name}=N, with N from 0 to ${most}`);
  return [name, name === "weight" ? { weight: number } : { maxConnections: number }];
}
