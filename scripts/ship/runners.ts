/** How executables of other machines are run on this one. */
import { existsSync } from "node:fs";
import type { SmokeOptions } from "./smoke.ts";
import { type Target, targetHere } from "./targets.ts";

/** Debian: qemu-user-static; libc6-arm64-cross and libstdc++6-arm64-cross have what the executable loads. */
const ARM64_LIBRARIES = "/usr/aarch64-linux-gnu";

/** What runs it, or why nothing does. */
export function runnerOf(target: Target): SmokeOptions | string {
  const here = targetHere();
  if (target.name === here?.name) return { prefix: [], native: target.platform === "linux" };
  if (here?.platform !== "linux" || target.platform !== "linux") return `it needs ${target.platform} on ${target.arch}`;
  if (target.libc === "musl") return muslRunner(target, here);
  const qemu = Bun.which("qemu-aarch64-static");
  if (!qemu) return "it needs qemu-aarch64-static (Debian: qemu-user-static)";
  const library = `${ARM64_LIBRARIES}/lib/libstdc++.so.6`;
  if (!existsSync(library)) return `it needs ${library} (Debian: libstdc++6-arm64-cross)`;
  return { prefix: [qemu, "-L", ARM64_LIBRARIES], native: true };
}

/** Bun for musl loads a libstdc++ that was built for musl, as Alpine has it and Debian does not. */
function muslRunner(target: Target, here: Target): SmokeOptions | string {
  const cpu = target.arch === "arm64" ? "aarch64" : "x86_64";
  const missing = [`/lib/ld-musl-${cpu}.so.1`, "/usr/lib/libstdc++.so.6"].find((path) => !existsSync(path));
  if (missing !== undefined || target.arch !== here.arch)
    return `it needs a system with musl, such as Alpine with libstdc++`;
  return { prefix: [], native: true };
}
