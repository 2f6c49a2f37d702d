/** DNS as a simulated process sees it: what the tables of the network say, a while later. */
import { SocketError } from "../../src/net/errors.ts";
import type { ResolveOptions, Service } from "../../src/net/runtime.ts";
import type { Answer, Network } from "./network.ts";
import type { Process } from "./process.ts";

/** The records of `name`; the promise of a process that is dead by then never settles. */
export function ask<T extends string | Service>(
  network: Network,
  process: Process,
  table: ReadonlyMap<string, Answer<T>>,
  name: string,
  { servers, timeout }: ResolveOptions,
): Promise<readonly T[]> {
  const { clock } = network;
  return new Promise((resolve, reject) => {
    const fail = (code: string) => {
      reject(new SocketError(code, `Cannot resolve ${name} at ${servers.join(", ")} (${code})`));
    };
    const found = (answer: Answer<T>) => {
      if (process.dead) return;
      if (typeof answer === "string") fail(answer);
      else {
        const records = [...new Set(answer)].filter((record) => typeof record === "string" || record.host !== "");
        if (records.length > 0) resolve(records);
        else fail("ENOTFOUND");
      }
    };
    const delay = network.delay();
    clock.after(Math.min(delay, timeout), () => {
      const answer = delay > timeout ? "EAI_AGAIN" : network.answer(table, name.replace(/\.$/, ""));
      if (answer === "silence") clock.after(timeout - delay, () => found("EAI_AGAIN"));
      else found(answer);
    });
  });
}
