/** What can be wrong with the clients that targets are for, if each of them is well written. */
import { formatAddress, isTls } from "../net/address.ts";
import { formatTarget } from "../net/target-name.ts";
import type { ProxyConfig } from "./config.ts";
import { type Problem, wrong } from "./problem.ts";

/** Finds lists that hold nobody, or somebody twice, and those that nobody could be held against. Paths begin at the proxy. */
export function checkRoutes({ listen, targets }: ProxyConfig): Problem[] {
  return targets.flatMap((target, index) => {
    return (["sni", "alpn"] as const).flatMap((key) => {
      const list = target[key];
      if (!list) return [];
      const path = ["targets", index, key] as const;
      if (isTls(listen)) {
        const why = `${formatAddress(listen)} ends TLS itself, and targets are chosen by it where it passes through alone`;
        return [wrong(path, `${why}; leave ${key} out, or tls:// in listen`)];
      }
      const whose = `the target ${formatTarget(target.address)}`;
      if (list.length === 0) {
        return [wrong(path, `${whose} is for nobody; leave ${key} out if it is for everybody`)];
      }
      return list.flatMap((each, place) => {
        if (list.indexOf(each) === place) return [];
        return [wrong([...path, place], `"${each}" is there twice for ${whose}; keep one`)];
      });
    });
  });
}
