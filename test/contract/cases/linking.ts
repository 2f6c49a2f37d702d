/** Streams that are linked: what comes from the one goes to the other without being shown, until that is ended. */
import assert from "node:assert/strict";
import type { Case, Kit } from "../kit.ts";
import { linked, linksNot, type Way } from "../way.ts";

/** Enough for bulk, more than pipes and buffers take. */
const TOTAL = 24_000_000;

export const linking: readonly Case[] = [
  {
    name: "a link moves all bytes and the FIN behind them, and shows none",
    skip: linksNot,
    async run(kit) {
      const way = await linked(kit);
      const sending = way.sender.send(TOTAL).then(() => way.sender.finish());
      await way.receiver.untilEnd();
      await sending;
      assert.equal(way.receiver.received, TOTAL);
      assert.equal(way.moved, TOTAL);
      assert.equal(way.shown, 0);
    },
  },
  {
    name: "a link that is ended in the middle of the stream loses no byte and changes no order",
    skip: linksNot,
    async run(kit) {
      for (const at of [1, 300_000, 5_000_000, TOTAL / 2]) {
        const way = await linked(kit);
        way.onMoved = () => {
          if (way.moved >= at) kit.runtime.unlink?.(way.from);
        };
        const sending = way.sender.send(TOTAL).then(() => way.sender.finish());
        await way.receiver.untilEnd();
        await sending;
        assert.equal(way.receiver.received, TOTAL);
        assert.equal(way.moved + way.shown, TOTAL);
        assert.ok(way.shown > 0, "nothing was shown after the end of the link");
      }
    },
  },
  {
    name: "a link that is ended while the receiver stalls goes on when it reads again",
    skip: linksNot,
    async run(kit) {
      const way = await linked(kit, true);
      const sending = way.sender.send(TOTAL).then(() => way.sender.finish());
      let before = -1;
      // Until everything between the two is full.
      for (let quiet = 0; quiet < 20; quiet = way.moved === before ? quiet + 1 : 0) {
        before = way.moved;
        await kit.busy(20);
      }
      assert.ok(way.moved < TOTAL);
      kit.runtime.unlink?.(way.from);
      await kit.busy(20);
      way.receiver.resume();
      await way.receiver.untilEnd();
      await sending;
      assert.equal(way.receiver.received, TOTAL);
      assert.equal(way.moved + way.shown, TOTAL);
    },
  },
  {
    name: "a mirror gets every byte, in bulk and one by one, shown or not",
    skip: linksNot,
    async run(kit) {
      const ways = [await linked(kit), await linked(kit)];
      for (const way of ways) await mirrored(kit, way);
    },
  },
  {
    name: "a mirror that stalls is not waited for, and what it is not ready for is shown",
    skip: linksNot,
    async run(kit) {
      const way = await linked(kit);
      await mirrored(kit, way, true);
    },
  },
];

/** Sends small writes and large ones; a copy goes to a third pair, which stands still at first if it `stalls`. */
async function mirrored(kit: Kit, way: Way, stalls = false): Promise<void> {
  const third = await kit.pair({ clientPaused: true, serverPaused: stalls });
  const copy = third.client.socket;
  const waiting: Uint8Array[] = [];
  let [mirroredBytes, teed, lost, full] = [0, 0, 0, false];
  const flush = () => {
    full = false;
    while (!full && waiting.length > 0) full = !copy.write(waiting.shift() ?? new Uint8Array());
  };
  copy.on({ data() {}, drain: flush, end() {}, close() {} });
  copy.resume();
  way.onShown = (chunk) => {
    if (full || waiting.length > 0) waiting.push(chunk.slice());
    else full = !copy.write(chunk);
  };
  const mirror = {
    ready: () => (full || waiting.length > 0 || copy.buffered > 0 ? undefined : [copy]),
    moved(bytes: number) {
      mirroredBytes += bytes;
    },
    mirrored(_: number, sent: number, missing: number) {
      teed += sent;
      lost += missing;
    },
  };
  kit.runtime.unlink?.(way.from);
  kit.runtime.link?.(way.from, way.to, way.meter, mirror);
  const total = TOTAL + 10_000;
  const sending = (async () => {
    for (let small = 0; small < 100; small++) {
      way.sender.write(100);
      await kit.busy(1);
    }
    await way.sender.send(TOTAL);
    way.sender.finish();
  })();
  await way.receiver.untilEnd();
  await sending;
  assert.equal(way.receiver.received, total);
  assert.equal(way.moved + way.shown, total);
  assert.equal(lost, 0);
  assert.equal(mirroredBytes, way.moved);
  assert.equal(teed, way.moved);
  third.server.resume();
  await third.server.until(() => third.server.received === total, "the copy");
}
