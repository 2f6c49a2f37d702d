/**
 * What chance there is in tests comes from this seed, so that what is red was made red by a change. `bun run fuzz` takes
 * others; `WEIR_TEST_SEED=N bun test FILE` repeats one of its rounds. It is loaded before each test file.
 */
import process from "node:process";
import { configureGlobal } from "fast-check";

/** 0 to 4,294,967,295. */
export const SEED = Number(process.env["WEIR_TEST_SEED"] ?? 1);

configureGlobal({ seed: SEED });
