/** What can be wrong with faults whose single values are all right, among each other and with their proxy. */
import { FAULTS, type FaultConfig } from "../filter/faults/fault.ts";
import { framingOf } from "../filter/faults/messages.ts";
import { FRAMERS } from "../mux/framings.ts";
import { PROTOCOL_NAMES } from "../mux/mux-config.ts";
import { transportProblem } from "./check-udp-proxy.ts";
import type { ProxyConfig } from "./config.ts";
import { repeatedFaults } from "./fault-schema.ts";
import { either } from "./nearest.ts";
import { type Problem, wrong } from "./problem.ts";

/** Paths begin at the proxy (`fault[1].name`). */
export function checkFaults({ faults, mux, listen }: Pick<ProxyConfig, "faults" | "mux" | "listen">): Problem[] {
  const unfit = faults.flatMap((fault, index) => {
    const problem = faultProblem(fault, { mux, listen });
    return problem ? [wrong(["fault", index, problem.key], problem.message)] : [];
  });
  return [...repeatedFaults(faults), ...unfit];
}

/** Why a fault cannot be one of such a proxy, with the key that is to blame. */
export function faultProblem(
  fault: FaultConfig,
  { mux, listen }: Pick<ProxyConfig, "mux" | "listen">,
): { readonly key: string; readonly message: string } | undefined {
  return transportProblem(fault, listen) ?? framingProblem(fault, mux);
}

/** Why a fault of whole messages finds none, with the key that is to blame. `mux`: that of its proxy. */
function framingProblem(
  { name, type, stream, attributes }: FaultConfig,
  mux: ProxyConfig["mux"],
): { readonly key: string; readonly message: string } | undefined {
  if (!("protocol" in FAULTS[type].attributes)) return undefined;
  const [protocol, delimiter] = [String(attributes["protocol"]), String(attributes["delimiter"])];
  const known = framingOf({ protocol, delimiter }, mux);
  const problem = (key: string, why: string) => ({ key, message: `the fault "${name}" ${why}` });
  if (!known) {
    const why =
      protocol === "mux"
        ? `has no protocol to cut messages by: the proxy is no mux, whose own it would be; use protocol ${WITHOUT_MUX}`
        : `cannot tell where messages of protocol ${protocol} end: only a mux of it says so; use ${WITHOUT_MUX}`;
    return problem("protocol", why);
  }
  if (delimiter !== "" && known.protocol !== "echo") {
    return problem(
      "delimiter",
      `has a delimiter, and messages of protocol ${known.protocol} do not end in one; leave it out`,
    );
  }
  if (FRAMERS[known.protocol][stream]) return undefined;
  const why = `cannot tell where replies of protocol ${known.protocol} end, for which it had to know the requests`;
  return problem("stream", `${why}; use stream upstream`);
}

const NAMES = PROTOCOL_NAMES.filter((name) => name !== "length");
const WITHOUT_MUX = either(NAMES);
