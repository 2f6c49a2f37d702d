/** What was read before there was a link, when the link goes: whoever is full is not given more before its drain. */
import { expect, test } from "bun:test";
import { runtime } from "#runtime";
import { Step } from "../../src/filter/step.ts";
import { Counters } from "../../src/metrics/counters.ts";
import type { Address } from "../../src/net/address.ts";
import type { StreamEvents, StreamSocket } from "../../src/net/runtime.ts";
import { Relay } from "../../src/proxy/relay.ts";

const ADDRESS: Address = { kind: "tcp", host: "127.0.0.1", port: 1 };

class FakeSocket implements StreamSocket {
  readonly local = ADDRESS;
  readonly remote = ADDRESS;
  readonly buffered = 0;
  full = false;
  reading = false;
  written = 0;
  events: StreamEvents = { data() {}, drain() {}, end() {}, close() {} };
  on(events: StreamEvents): void {
    this.events = events;
  }
  write(chunk: Uint8Array): boolean {
    this.written += chunk.length;
    return !this.full;
  }
  end(): void {}
  abort(): void {}
  pause(): void {
    this.reading = false;
  }
  resume(): void {
    this.reading = true;
  }
  unacknowledged(): number {
    return 0;
  }
}

function relay(full: boolean) {
  const [client, target] = [new FakeSocket(), new FakeSocket()];
  target.full = full;
  const linked = { ...runtime, link() {}, unlink() {} };
  const owner = { relayed() {}, halfClosed() {}, read: undefined };
  const it = new Relay(linked, client, target, new Counters("x", "y"), 0, owner, undefined, new Uint8Array(100));
  return { it, client, target };
}

class Plain extends Step {}

const step = () => new Plain();

test("a step that comes while the target is full with early bytes waits for its drain", () => {
  const { it, client, target } = relay(true);
  // The link waits by itself.
  expect([client.reading, target.written]).toEqual([true, 100]);
  it.client.insert(step());
  expect(client.reading).toBe(false);
  target.full = false;
  target.events.drain();
  expect(client.reading).toBe(true);
  client.events.data(new Uint8Array(10));
  expect(target.written).toBe(110);
});

test("one that comes after that drain, or where nothing was full, holds nobody back", () => {
  const later = relay(true);
  later.target.full = false;
  later.target.events.drain();
  later.it.client.insert(step());
  expect(later.client.reading).toBe(true);
  const never = relay(false);
  never.it.client.insert(step());
  expect(never.client.reading).toBe(true);
});
