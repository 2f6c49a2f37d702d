/** Two pairs of streams with a link between them, for cases about links. */
import type { Chunk, Meter, Runtime, StreamSocket } from "../../src/net/runtime.ts";
import type { Kit } from "./kit.ts";
import type { Probe } from "./probe.ts";

export interface Way {
  /** Sends, through the middle, to the receiver. */
  readonly sender: Probe;
  readonly receiver: Probe;
  readonly from: StreamSocket;
  readonly to: StreamSocket;
  /** Bytes that were moved, and that were shown. */
  moved: number;
  shown: number;
  /** Told when bytes were moved. */
  onMoved: () => void;
  onShown: (chunk: Chunk) => void;
  /** What `close` has said of `to`, as codes. */
  readonly ends: (string | undefined)[];
  readonly meter: Meter;
}

export function linksNot({ name, link }: Runtime): string | undefined {
  return link ? undefined : `${name} moves no bytes by itself`;
}

/** What is shown goes the same way by hand. */
export async function linked(kit: Kit, receiverPaused = false, buffer = 262_144): Promise<Way> {
  const first = await kit.pair({ serverPaused: true, buffer });
  const second = await kit.pair({ clientPaused: true, serverPaused: receiverPaused, buffer });
  const from = first.server.socket;
  const to = second.client.socket;
  const way: Way = {
    sender: first.client,
    receiver: second.server,
    from,
    to,
    moved: 0,
    shown: 0,
    onMoved() {},
    onShown() {},
    ends: [],
    meter: {
      moved(bytes) {
        way.moved += bytes;
        way.onMoved();
      },
      held() {},
    },
  };
  from.on({
    data(chunk) {
      way.shown += chunk.length;
      way.onShown(chunk);
      if (!to.write(chunk)) from.pause();
    },
    drain() {},
    end: () => to.end(),
    close() {},
  });
  to.on({ data() {}, drain: () => from.resume(), end() {}, close: (error) => way.ends.push(error?.code) });
  kit.runtime.link?.(from, to, way.meter);
  to.resume();
  from.resume();
  return way;
}
