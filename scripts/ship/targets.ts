/** What weir is built for: the systems that Bun compiles executables for, and what runs on them. */
import { arch, platform } from "node:process";

export interface Target {
  /** As in the names of what is released: `linux-x64`. */
  readonly name: string;
  /** As Bun calls it. */
  readonly bun: Bun.Build.CompileTarget;
  /** As Deno calls it; Deno has none for musl. */
  readonly deno?: string;
  readonly platform: "linux" | "darwin" | "win32";
  readonly arch: "x64" | "arm64";
  readonly libc?: "glibc" | "musl";
}

export const TARGETS: readonly Target[] = [
  linux("x64", "glibc", "x86_64-unknown-linux-gnu"),
  linux("arm64", "glibc", "aarch64-unknown-linux-gnu"),
  linux("x64", "musl"),
  linux("arm64", "musl"),
  { name: "macos-x64", bun: "bun-darwin-x64", deno: "x86_64-apple-darwin", platform: "darwin", arch: "x64" },
  { name: "macos-arm64", bun: "bun-darwin-arm64", deno: "aarch64-apple-darwin", platform: "darwin", arch: "arm64" },
  { name: "windows-x64", bun: "bun-windows-x64", deno: "x86_64-pc-windows-msvc", platform: "win32", arch: "x64" },
];

/** The name of the executable for a target. */
export function fileOf(target: Target, version: string, by: "bun" | "deno" = "bun"): string {
  const name = `weir-${version}-${target.name}${by === "deno" ? "-deno" : ""}`;
  return target.platform === "win32" ? `${name}.exe` : name;
}

/** What this machine is; undefined if weir is not built for it. */
export function targetHere(): Target | undefined {
  return TARGETS.find((each) => each.platform === platform && each.arch === arch && each.libc === libcHere());
}

/** Bun itself is built for one of them, and says which in its report. */
function libcHere(): Target["libc"] {
  if (platform !== "linux") return undefined;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime ? "glibc" : "musl";
}

function linux(cpu: Target["arch"], libc: NonNullable<Target["libc"]>, deno?: string): Target {
  const musl = libc === "musl";
  const bun: Bun.Build.CompileTarget = musl ? `bun-linux-${cpu}-musl` : `bun-linux-${cpu}`;
  const name = musl ? `linux-${cpu}-musl` : `linux-${cpu}`;
  return { name, bun, platform: "linux", arch: cpu, libc, ...(deno !== undefined && { deno }) };
}
