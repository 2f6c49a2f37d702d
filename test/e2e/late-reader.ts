/** Standard output that is a pipe which nobody reads for a while. */
import { run } from "./weir.ts";

/**
 * What a command prints to a pipe that is read when the command has filled it, and then has tried again, waits in the kernel
 * or is gone: what it has not waited for is lost by then. Linux alone tells (proc_pid_io(5), proc_pid_wchan(5)).
 */
export async function readLate(argv: readonly string[]): Promise<string> {
  const words = argv.map((word) => `'${word}'`).join(" ");
  const writes = `sed -n 's/^syscw: //p' /proc/$writer/io 2>/dev/null`;
  const { out } = await run([
    "bash",
    "-c",
    `pipe=$(mktemp -u) && mkfifo "$pipe" || exit 1
    ${words} > "$pipe" & writer=$!
    exec 3< "$pipe"; rm "$pipe"
    until read -t 0 -u 3; do :; done
    before=$(${writes})
    while now=$(${writes}); [ -n "$now" ] && [ "$now" -lt "$((before + 5))" ]; do
      grep -q pipe_write /proc/$writer/wchan 2>/dev/null && break
    done
    cat <&3`,
  ]);
  return out;
}
