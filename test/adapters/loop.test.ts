import { expect, test } from "bun:test";
import { ffi } from "#ffi";
import { Loop } from "../../adapters/linux/loop.ts";
import { System } from "../../adapters/linux/system.ts";

test.skipIf(process.platform !== "linux")(
  "what hangs on a timer by promises goes on before the loop sleeps",
  async () => {
    const loop = new Loop(new System(ffi, true));
    const order: string[] = [];
    const chain = async (length: number): Promise<void> => {
      if (length > 0) return await chain(length - 1);
      await new Promise<void>((resolve) => {
        loop.timers.set(loop.now + 10, resolve);
      });
    };
    void chain(4).then(() => order.push("chain"));
    loop.timers.set(loop.now + 300, () => {
      order.push("the next timer");
      loop.stop();
    });
    await loop.run(async () => {}, false);
    loop.destroy();
    expect(order).toEqual(["chain", "the next timer"]);
  },
);
