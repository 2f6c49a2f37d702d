/** `[[proxy.observer]]` as users write it, and what it means. */
import * as v from "valibot";
import { parseObserverAddress } from "../observe/observer-address.ts";
import {
  COPIES,
  FORMATS,
  OBSERVER,
  type ObserverConfig,
  WHEN_FULL,
  wrongWhenFull,
} from "../observe/observer-config.ts";
import * as t from "./values.ts";
import * as w from "./written.ts";

type Observer = v.InferOutput<ReturnType<typeof observerSchema>>;

/** Input is what TOML holds; output has the address parsed, bytes and every default. */
export function observerSchema() {
  const fields = t.table("Somebody who gets a copy of what the sessions send and receive.", {
    address: t.text("Where it is: an address, udp://HOST:PORT or file:PATH.", WHAT, parseObserverAddress, w.OBSERVER),
    copies: v.optional(t.choice("What the client sends, what it receives, or both.", COPIES), OBSERVER.copies),
    buffer: v.optional(t.bufferSize("Bytes that may wait for it, in each session."), OBSERVER.buffer),
    when_full: v.optional(
      t.choice("drop skips reads, disconnect cuts the observer off, block holds the session back.", WHEN_FULL),
      OBSERVER.whenFull,
    ),
    format: v.optional(
      t.choice("raw: the bytes alone; framed: each read behind a line of JSON that says whose it is.", FORMATS),
      OBSERVER.format,
    ),
  });
  return v.pipe(
    fields,
    v.forward(
      v.partialCheck(
        [["address"], ["when_full"]],
        ({ address, when_full: whenFull }) => wrongWhenFull({ address, whenFull }) === undefined,
        ({ input: { address, when_full: whenFull } }) => wrongWhenFull({ address, whenFull }) ?? "",
      ),
      ["when_full"],
    ),
  );
}

const WHAT = 'an address such as "127.0.0.1:6000", "udp://127.0.0.1:6000" or "file:/path"';

export function toObserver({ when_full: whenFull, ...rest }: Observer): ObserverConfig {
  return { ...rest, whenFull };
}
