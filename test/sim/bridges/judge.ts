/** What must hold after a storm over bridges. */
import type { EndView } from "../../../src/datagram/bridge/control.ts";
import { formatAddress } from "../../../src/net/address.ts";
import { senderOf, streamOf, textOf } from "./origins.ts";
import type { Reader } from "./peers.ts";
import { FILE } from "./plan.ts";
import { skipped } from "./skipped.ts";
import type { BridgeStorm, World } from "./storm.ts";

type Claim = (holds: boolean, what: () => string) => void;

export function judge(storm: BridgeStorm): void {
  const { violations, plan, weir } = storm;
  const claim: Claim = (holds, what) => {
    if (!holds) violations.push(what());
  };
  const calm = plan.kind === "calm";
  for (const [index, world] of storm.worlds.entries()) {
    const { receivers } = world;
    for (const { got } of receivers) for (const datagram of got) judgeDatagram(datagram, world, claim);
    judgeFigures(world, calm, storm.killed, claim);
    if (!calm) continue;
    const all = receivers[0]?.got ?? [];
    judgeSources(world, all, plan.drainAt === undefined, claim);
    for (const { sink, got } of receivers) {
      claim(got.length === all.length && got.every((each, at) => each === all[at]), () => {
        return `destination ${sink} got ${got.length} datagrams, another one ${all.length}, or others`;
      });
    }
    judgeReaders(world, all, claim);
    for (const [sink, route] of world.plan.config.to.entries()) {
      if (route.kind === "file") judgeFile(`${FILE}${index}${sink}`, storm, all, claim);
    }
  }
  for (const misuse of [weir, ...storm.threads].flatMap(({ misuses }) => misuses)) {
    // Of those who do not keep up a write can be refused; how much waits for them is the bridge's to bound.
    if (!/before drain|one read allows/.test(misuse)) violations.push(misuse);
  }
  if (storm.killed) return;
  const { descriptors, timers, files } = weir;
  const left = storm.threads.reduce((sum, thread) => sum + thread.timers, timers);
  claim(descriptors === 0 && left === 0, () => `${descriptors} descriptors and ${left} timers are left`);
  claim(files.opened === 0, () => `${files.opened} files are left open`);
}

/** It is one that was sent, and nothing else. */
function judgeDatagram(datagram: string, { senders, publishers, plan }: World, claim: Claim): void {
  if (datagram === "") return;
  const sender = senderOf(datagram);
  if (sender) {
    claim(
      senders.some(({ sent }) => sent[sender[1]] === datagram),
      () => `altered: ${datagram.slice(0, 40)}`,
    );
    return;
  }
  const stream = streamOf(datagram);
  const publisher = publishers.find((each) => each.stream === stream);
  const { datagramSize, cut } = plan.config;
  claim(publisher?.text.includes(datagram) ?? false, () => `a datagram of stream ${stream} that was never said`);
  claim(datagram.length <= datagramSize, () => `a datagram of ${datagram.length} bytes, cut at ${datagramSize}`);
  if (cut === "size" || !publisher) return;
  const newline = datagram.indexOf("\n");
  const whole = newline === datagram.length - 1 || (newline < 0 && datagram.length === datagramSize);
  // Where it ends, or is broken off, the rest is what there is.
  claim(whole || newline < 0, () => `${newline + 1} bytes of a line joined with others`);
}

/** Each datagram comes once, in the order of its source, and all of them unless it is drained before. */
function judgeSources(
  { control, senders, publishers, plan }: World,
  all: readonly string[],
  whole: boolean,
  claim: Claim,
) {
  const numbers = new Map<number, number[]>();
  const texts = new Map<number, string>();
  let empty = 0;
  for (const datagram of all) {
    const sender = senderOf(datagram);
    const stream = streamOf(datagram);
    if (datagram === "") empty++;
    else if (sender) numbers.set(sender[0], [...(numbers.get(sender[0]) ?? []), sender[1]]);
    else if (stream !== undefined) texts.set(stream, (texts.get(stream) ?? "") + datagram);
  }
  for (const [origin, came] of numbers) {
    claim(
      came.every((each, at) => at === 0 || each > (came[at - 1] as number)),
      () => `${origin} came as ${came}`,
    );
  }
  for (const { stream, text, heard } of publishers) {
    const came = texts.get(stream) ?? "";
    claim(text.startsWith(came), () => `stream ${stream} came altered, or not in order`);
    claim(!(heard && whole) || came === text, () => `of stream ${stream} ${came.length} of ${text.length} bytes came`);
  }
  const sum = (of: (view: EndView) => number) => {
    return control.ends.reduce((total, view, at) => {
      return total + (plan.config.from[at]?.kind === "udp" ? of(view) : 0);
    }, 0);
  };
  const came = [...numbers.values()].reduce((total, each) => total + each.length, empty);
  claim(came === sum(({ datagrams }) => datagrams), () => `${came} datagrams of UDP came, and others are counted`);
  const sent = senders.reduce((total, each) => total + each.sent.length, 0);
  const lost = sum(({ overrun }) => overrun);
  claim(!whole || came + lost === sent, () => `${came} datagrams came and ${lost} were lost, of ${sent}`);
}

/** What each has counted is what all sources have. */
function judgeFigures({ control, plan, receivers }: World, calm: boolean, killed: boolean, claim: Claim): void {
  const { ends } = control;
  const from = ends.filter(({ direction }) => direction === "from");
  const sum = (of: "datagrams" | "bytes") => from.reduce((total, view) => total + view[of], 0);
  for (const { direction, address, ...figures } of ends) {
    for (const [name, figure] of Object.entries(figures)) claim(figure >= 0, () => `${address}: ${figure} ${name}`);
    claim(figures.connections === 0, () => `${address}: ${figures.connections} connections at the end`);
    claim(figures.looped === 0, () => `${address}: ${figures.looped} looped`);
    if (direction === "from" || killed) continue;
    const { datagrams, bytes } = figures;
    claim(datagrams === sum("datagrams"), () => `${address}: ${datagrams} datagrams, of ${sum("datagrams")}`);
    claim(bytes === sum("bytes"), () => `${address}: ${bytes} bytes, of ${sum("bytes")}`);
  }
  const view = ends[plan.config.from.length];
  const [first] = receivers;
  if (!calm || !view || !first) return;
  const { datagrams, unsent } = view;
  claim(first.got.length + unsent === datagrams, () => `${first.got.length} got, ${unsent} unsent, of ${datagrams}`);
}

/** Each has whole datagrams in order; what it misses is counted, and with `block` there is nothing. */
function judgeReaders({ control, plan, readers, starts }: World, all: readonly string[], claim: Claim): void {
  const { from, to, whenFull } = plan.config;
  for (const [sink, route] of to.entries()) {
    if (route.kind !== "listen") continue;
    const view = control.ends[from.length + sink];
    const full = view?.full ?? 0;
    claim(whenFull !== "block" || full === 0, () => `${full} missed by who is waited for`);
    claim(whenFull === "disconnect" || view?.disconnects === 0, () => `${view?.disconnects} were cut off`);
    let missed = 0;
    for (const reader of readers) if (reader.plan.sink === sink) missed += missedBy(reader, full);
    claim(missed <= full, () =>
      missed === Number.POSITIVE_INFINITY
        ? "a reader got what was not sent"
        : `${missed} datagrams were missed, ${full} are counted`,
    );
  }

  function missedBy(reader: Reader, full: number): number {
    const start = starts.get(formatAddress(reader.socket.local));
    return skipped(all, reader.text, { start, ended: reader.ended, most: full }) ?? Number.POSITIVE_INFINITY;
  }
}

/** All parts of it together hold what passed, and each begins and ends with a datagram. */
function judgeFile(path: string, { weir }: BridgeStorm, all: readonly string[], claim: Claim): void {
  const number = (name: string) => Number(name.slice(path.length + 1) || 0);
  const parts = weir.files.names.filter((name) => name === path || name.startsWith(`${path}.`));
  const bounds = new Set([0]);
  let length = 0;
  for (const datagram of all) {
    length += datagram.length;
    bounds.add(length);
  }
  let at = 0;
  let text = "";
  for (const name of parts.toSorted((a, b) => number(b) - number(a))) {
    const part = textOf(weir.files.read(name));
    at += part.length;
    claim(bounds.has(at), () => `${name} ends within a datagram`);
    text += part;
  }
  claim(text === all.join(""), () => `${path} holds ${text.length} bytes, or others, of ${length}`);
}
