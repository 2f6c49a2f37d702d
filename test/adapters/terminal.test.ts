/** The terminal of every runtime: taken over as a whole, and given back however the program ends. */
import { describe, expect, test } from "bun:test";
import { command } from "../contract/runtimes.ts";
import { TerminalWindow } from "../e2e/terminal.ts";
import { haveTool } from "../e2e/tools.ts";
import { run } from "../e2e/weir.ts";

const PROGRAM = "test/adapters/terminal-process.ts";
const GIVEN_BACK = { alternate: false, cursor: true, wrap: true };

async function opened(runtime: "bun" | "deno" | "node"): Promise<TerminalWindow> {
  const window = await TerminalWindow.open(await command(runtime, PROGRAM), 60, 12);
  await window.shows("size 60x12");
  return window;
}

/** It has ended with this code, and the next program finds the terminal as it was. */
async function ended(window: TerminalWindow, code: number): Promise<void> {
  const screen = await window.until((text) => /code .*echo/.test(text), "the end");
  expect(screen).toContain(`code ${code}: opost isig icanon echo\n`);
  expect(screen).not.toContain("size");
  expect(await window.state()).toEqual(GIVEN_BACK);
}

describe.skipIf(!haveTool("tmux")).each(["bun", "deno", "node"] as const)("under %s", (runtime) => {
  test("keys come as they are pressed, the size as it changes, and long lines stay in their row", async () => {
    await using window = await opened(runtime);
    expect(await window.state()).toEqual({ alternate: true, cursor: false, wrap: false });
    await window.press("a");
    await window.shows('keys "a"');
    await window.press("C-c");
    await window.shows('keys "\\u0003"');
    await window.press("Up");
    await window.shows('keys "\\u001b[A"');
    await window.resize(40, 10);
    const screen = await window.shows("size 40x10");
    expect(screen.split("\n").filter((line) => line.startsWith("x"))).toEqual(["x".repeat(40)]);
  });

  test("an exception that nobody catches gives it back, and is told", async () => {
    await using window = await opened(runtime);
    await window.press("t");
    await ended(window, 1);
    expect(window.errors).toContain("thrown on purpose");
  });

  test("so does a promise that is rejected", async () => {
    await using window = await opened(runtime);
    await window.press("r");
    await ended(window, 1);
    expect(window.errors).toContain("rejected on purpose");
  });

  test("so does the end of the process", async () => {
    await using window = await opened(runtime);
    await window.press("e");
    await ended(window, 5);
  });

  test("it can be given back before the end", async () => {
    await using window = await opened(runtime);
    await window.press("c");
    await ended(window, 0);
  });

  test("a process that was stopped and goes on draws all of it again", async () => {
    await using window = await opened(runtime);
    await window.press("a");
    await window.shows('keys "a"');
    window.signal("SIGSTOP");
    window.signal("SIGCONT");
    await window.until((screen) => screen.includes("size 60x12") && !screen.includes("keys"), "a new screen");
    await window.press("b");
    await window.shows('keys "b"');
  });

  test("it can be lent to the shell, which gives it back", async () => {
    await using window = await opened(runtime);
    await window.press("a");
    await window.shows('keys "a"');
    // tmux lets go on what has stopped.
    await window.press("z");
    await window.until((screen) => screen.includes("size 60x12") && !screen.includes("keys"), "a new screen");
    expect(await window.state()).toEqual({ alternate: true, cursor: false, wrap: false });
    await window.press("b");
    await window.shows('keys "b"');
  });

  test("without a terminal there is none", async () => {
    const { code, err } = await run(await command(runtime, PROGRAM));
    expect(err).toBe("there is no terminal\n");
    expect(code).toBe(3);
  });
});
