/**
 * Runs the contract suite against the portable adapter of whatever runtime runs this file, and prints one
 * JSON line per case. `contract.test.ts` starts it under Bun, Deno and Node.
 *
 *   bun test/contract/run.ts [WORDS IN THE NAME | --list]
 */
import { exit } from "node:process";
import { runtime } from "#runtime";
import { runSuite } from "./suite.ts";

await runSuite(runtime);
exit(0);
