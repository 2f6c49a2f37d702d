/** The program: arguments in, exit code out. The only place that ends the process. */
import { exit, host } from "#host";
import { openThreads } from "#native";
import { runtime } from "#runtime";
import { main } from "./cli/main.ts";

exit(await main(runtime, openThreads, host));
