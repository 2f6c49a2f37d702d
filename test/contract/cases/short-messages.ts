/** Linked streams over which short messages go, one by one: an adapter may take them a shorter way than the rest. */
import assert from "node:assert/strict";
import { env } from "node:process";
import { Random } from "../../peers/random.ts";
import type { Case, Kit } from "../kit.ts";
import { pattern } from "../probe.ts";
import { linked, linksNot, type Way } from "../way.ts";

/** `WEIR_TEST_SEED` takes another one. */
const SEED = Number(env["WEIR_TEST_SEED"] ?? 1);
/** More than all buffers take. */
const FULL = 24_000_000;

export const shortMessages: readonly Case[] = [
  {
    name: "messages of any length between short ones come over a link whole, and each is counted",
    skip: linksNot,
    async run(kit) {
      const way = await linked(kit);
      for (const length of [16_383, 16_384, 16_385, 16_386, 65_536, 262_144, 262_145, 1_000_000]) {
        await talk(way);
        await said(way, length);
      }
      assert.equal(way.moved, way.sender.sent);
      assert.equal(way.shown, 0);
    },
  },
  {
    name: "short messages over a link stop at a receiver that stalls, and go on when it reads again",
    skip: linksNot,
    async run(kit) {
      const way = await linked(kit);
      await talk(way);
      way.receiver.pause();
      await fillUp(kit, way, FULL);
      assert.ok(way.sender.sent < FULL);
      way.receiver.resume();
      await trickle(kit, way);
      await talk(way);
      assert.equal(way.moved, way.sender.sent);
    },
  },
  {
    name: "short messages over a link never make the other socket hold more than its buffer",
    skip: linksNot,
    async run(kit) {
      const buffer = 20_000;
      /** Fills what is between the two with messages, but for `left` bytes, and sends a lot at once. */
      const fill = async (room: number, left: number) => {
        const way = await linked(kit, true, buffer);
        await fillUp(kit, way, room - left);
        way.sender.write(200_000);
        await kit.busy(20);
        const held = way.to.buffered;
        way.receiver.resume();
        await arrived(way);
        return { moved: way.moved, held };
      };
      const { moved } = await fill(FULL, 0);
      for (const left of [160_000, 80_000, 40_000]) {
        const { held } = await fill(moved - 200_000, left);
        assert.ok(held <= buffer, `${held} bytes`);
      }
    },
  },
  {
    name: "short messages over a link keep their order when the receiver stutters",
    skip: linksNot,
    async run(kit) {
      const random = new Random(SEED).fork("stutter");
      const way = await linked(kit);
      const { sender, receiver } = way;
      // So full that the kernel takes a part of a message now and then.
      receiver.pause();
      await fillUp(kit, way, FULL);
      for (let message = 0; message < 1_000; message++) {
        sender.write(random.between(1, 15_000));
        if (way.moved < sender.sent) receiver.resume();
        await kit.busy(1);
        receiver.pause();
      }
      receiver.resume();
      await arrived(way);
    },
  },
  {
    name: "a short message over a link and the FIN behind it come together",
    skip: linksNot,
    async run(kit) {
      for (let round = 0; round < 10; round++) {
        const way = await linked(kit);
        await talk(way);
        way.sender.write(10);
        way.sender.finish();
        await way.receiver.untilEnd();
        assert.equal(way.receiver.received, way.sender.sent);
      }
    },
  },
  {
    name: "short messages over a link hold up nothing that goes the other way",
    skip: linksNot,
    async run(kit) {
      const way = await linked(kit);
      const { sender, from } = way;
      sender.pause();
      assert.equal(from.write(pattern(0, FULL)), false);
      await talk(way);
      sender.onData = () => sender.write(10);
      sender.resume();
      await sender.until(() => sender.received === FULL, "what goes the other way");
      await arrived(way);
    },
  },
  {
    name: "who counts what a link moves may stop it or reset it, at any message",
    skip: linksNot,
    async run(kit) {
      for (let last = 1; last < 8; last++) {
        for (const stop of ["pause", "abort"] as const) {
          const way = await linked(kit);
          let stopped = false;
          // A message may come in pieces.
          way.onMoved = () => {
            if (stopped || way.moved <= 10 * (last - 1)) return;
            stopped = true;
            way.from[stop]();
          };
          for (let message = 1; message < last; message++) await said(way, 10);
          way.sender.write(10);
          while (!stopped) await kit.busy(1);
          const { moved } = way;
          if (stop === "pause") way.sender.write(10);
          // One of their sockets gets the number of the one that was reset.
          for (const late of [await linked(kit), await linked(kit), await linked(kit)]) {
            await talk(late);
            assert.equal(late.moved, late.sender.sent);
          }
          assert.equal(way.moved, moved);
        }
      }
    },
  },
  {
    name: "behind short messages over a link a pause holds, and the end of the link shows what follows",
    skip: linksNot,
    async run(kit) {
      const way = await linked(kit);
      await talk(way);
      way.from.pause();
      const { moved } = way;
      way.sender.write(10);
      await kit.busy(20);
      assert.equal(way.moved, moved);
      way.from.resume();
      await arrived(way);
      await talk(way);
      kit.runtime.unlink?.(way.from);
      const { sent } = way.sender;
      assert.equal(way.moved, sent);
      await talk(way);
      assert.equal(way.shown, way.sender.sent - sent);
    },
  },
  {
    name: "what is written by hand between short messages over a link keeps its place, also when it has to wait",
    skip: linksNot,
    async run(kit) {
      const way = await linked(kit);
      const byHand = (length: number) => {
        const room = way.to.write(pattern(way.sender.sent, length));
        way.sender.sent += length;
        return room;
      };
      for (let round = 0; round < 5; round++) {
        await talk(way);
        byHand(100);
        await said(way, 10);
      }
      way.receiver.pause();
      assert.equal(byHand(FULL), false);
      way.receiver.resume();
      await trickle(kit, way);
      await arrived(way);
      await talk(way);
    },
  },
  {
    name: "short messages over a link that come after the end of the receiver's stream break nothing",
    skip: linksNot,
    async run(kit) {
      const way = await linked(kit);
      await talk(way);
      way.to.end();
      await way.receiver.untilEnd();
      for (let message = 0; message < 5; message++) {
        way.sender.write(10);
        await kit.busy(20);
      }
      way.receiver.finish();
      await way.receiver.untilClose();
      while (way.ends.length === 0) await kit.busy(1);
      assert.deepEqual(way.ends, [undefined]);
    },
  },
  {
    name: "a link that takes the place of another takes its short messages",
    skip: linksNot,
    async run(kit) {
      const [first, second] = [await linked(kit), await linked(kit)];
      await talk(first);
      const { received } = first.receiver;
      kit.runtime.link?.(first.from, second.to, second.meter);
      second.receiver.raw = true;
      first.sender.write(100);
      await second.receiver.until(() => second.receiver.received === 100, "the message");
      assert.equal(first.receiver.received, received);
      assert.equal(second.moved, 100);
    },
  },
  {
    name: "whatever happens between short messages over a link, no byte is lost and no order changed",
    skip: linksNot,
    async run(kit) {
      for (let run = 0; run < 10; run++) await muddle(kit, new Random(SEED).fork(`short messages ${run}`));
    },
  },
  {
    name: "short messages over links never come to a stream that has the number of another one",
    skip: linksNot,
    async run(kit) {
      for (let round = 0; round < 30; round++) {
        const ways = await Promise.all([linked(kit), linked(kit), linked(kit)]);
        await Promise.all(ways.map(talk));
        // One loses its receiver, one its sender; the next gets their numbers, and then they are asked for more.
        const [first, second] = ways as [Way, Way, Way];
        first.receiver.abort();
        second.sender.abort();
        while (first.ends.length === 0) await kit.busy(1);
        const late = await linked(kit);
        first.sender.write(10);
        await talk(late);
        assert.equal(late.moved, late.sender.sent);
        for (const { sender, receiver, from, to } of [...ways, late]) {
          for (const socket of [from, to]) socket.abort();
          await Promise.all([sender.untilClose(), receiver.untilClose()]);
        }
      }
    },
  },
];

async function arrived({ sender, receiver }: Way): Promise<void> {
  await receiver.until(() => receiver.received === sender.sent, "the message");
}

async function said(way: Way, length: number): Promise<void> {
  way.sender.write(length);
  await arrived(way);
}

/** So many that whoever sees them expects more of them. */
async function talk(way: Way): Promise<void> {
  for (let message = 0; message < 20; message++) await said(way, 1 + message * 97);
}

/** Messages that follow each other while the receiver takes what waits: the kernel has room at times before it says so. */
async function trickle(kit: Kit, { sender }: Way): Promise<void> {
  for (let message = 0; message < 300; message++) {
    sender.write(10);
    await kit.busy(1);
  }
}

/** Sends messages one by one to a receiver that stalls: until one is not moved, or so many bytes are sent. */
async function fillUp(kit: Kit, way: Way, most: number): Promise<void> {
  while (way.sender.sent < most && way.moved === way.sender.sent) {
    way.sender.write(10_000);
    await kit.busy(2);
  }
}

/** Messages of all lengths, pauses at both ends, links that end and begin again. */
async function muddle(kit: Kit, random: Random): Promise<void> {
  const { runtime } = kit;
  const way = await linked(kit);
  const { from, to, sender, receiver } = way;
  const acts = [
    () => said(way, random.size(1, 400_000)),
    () => talk(way),
    () => from.pause(),
    () => from.resume(),
    () => receiver.pause(),
    () => receiver.resume(),
    () => sender.write(random.size(1, 2_000_000)),
    () => kit.busy(1),
    () => runtime.unlink?.(from),
    () => {
      runtime.unlink?.(from);
      runtime.link?.(from, to, way.meter);
    },
  ];
  for (let act = 0; act < 60; act++) {
    const next = acts[random.between(0, acts.length - 1)];
    // Who waits for an answer must be able to get one.
    if (next === acts[0] || next === acts[1]) {
      from.resume();
      receiver.resume();
    }
    await next?.();
  }
  from.resume();
  receiver.resume();
  sender.finish();
  await receiver.untilEnd();
  assert.equal(receiver.received, sender.sent);
  assert.equal(way.moved + way.shown, sender.sent);
}
