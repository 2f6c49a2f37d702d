/** `weir mux list`: the protocols, how each is framed, and an example. */
import { PROTOCOL_NAMES } from "../../mux/mux-config.ts";
import { PROTOCOLS } from "../../mux/protocols.ts";
import type { CommandRun } from "../context.ts";

export const muxList: CommandRun = async ({ host }) => {
  const width = Math.max(...PROTOCOL_NAMES.map((name) => name.length));
  for (const name of PROTOCOL_NAMES) {
    const { summary, example } = PROTOCOLS[name];
    host.out(`* ${name.padEnd(width)}  ${summary}`);
    host.out(`  ${" ".repeat(width)}  weir mux -p ${name} ${example}`);
  }
  host.out("");
  host.out("usage for example: weir mux -p echo -l 8000 -t 127.0.0.1:1234");
  return 0;
};
