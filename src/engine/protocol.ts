/** What the control plane and its workers say to each other. Everything is data that can be copied between threads. */
import type { TargetShare } from "../balance/target.ts";
import type { ProxyConfig } from "../config/config.ts";
import type { BridgeConfig } from "../datagram/bridge/bridge-config.ts";
import type { BridgeEvent } from "../datagram/bridge/bridge-events.ts";
import type { LoadShare } from "../load/generator.ts";
import type { Sample } from "../load/sample.ts";
import type { LineEvent, MuxTrouble } from "../mux/mux-events.ts";
import type { ListenAddress } from "../net/address.ts";
import type { ObserverEvent } from "../observe/observer.ts";
import type { ConnectionList } from "../proxy/control.ts";
import type { EntranceMemory } from "../proxy/entrance.ts";
import type { ObserverMemory } from "../proxy/onlookers.ts";
import type { Failure } from "../proxy/proxy.ts";
import type { Connection, ConnectionRecord } from "../proxy/record.ts";
import type { Role } from "../proxy/side.ts";

/** `proxy` is the number that the control plane gave it. */
export type ToBridge =
  | {
      readonly type: "bridge";
      readonly bridge: number;
      readonly config: BridgeConfig;
      readonly memory: SharedArrayBuffer;
    }
  | { readonly type: "bridge_drain"; readonly bridge: number }
  | { readonly type: "bridge_cut"; readonly bridge: number };

export type FromBridge =
  | { readonly type: "bridge_opened"; readonly bridge: number; readonly addresses: readonly string[] }
  | {
      readonly type: "bridge_failed";
      readonly bridge: number;
      readonly code: string;
      readonly message: string;
      /** It was a file that could not be opened. */
      readonly file: boolean;
    }
  | { readonly type: "bridge_event"; readonly bridge: number; readonly event: BridgeEvent }
  | { readonly type: "bridge_drained"; readonly bridge: number };

export type ToLoad =
  | { readonly type: "load"; readonly load: number; readonly share: LoadShare }
  | { readonly type: "load_stop"; readonly load: number };

export type FromLoad =
  | { readonly type: "load_sample"; readonly load: number; readonly sample: Sample }
  | { readonly type: "load_done"; readonly load: number };

export type ToWorker =
  | ToBridge
  | ToLoad
  | {
      readonly type: "open";
      readonly proxy: number;
      readonly config: ProxyConfig;
      readonly address: ListenAddress;
      readonly descriptor: number;
      readonly cells: Float64Array;
      readonly workers: number;
      readonly memory: EntranceMemory;
      readonly targets: readonly TargetShare[];
      readonly observers: ObserverMemory;
      readonly wants: Wants;
    }
  | {
      readonly type: "configure";
      readonly request: number;
      readonly proxy: number;
      readonly config: ProxyConfig;
      readonly memory: EntranceMemory;
      readonly targets: readonly TargetShare[];
      readonly observers: ObserverMemory;
    }
  | { readonly type: "retarget"; readonly proxy: number; readonly targets: readonly TargetShare[] }
  /** There may be room for connections that wait. */
  | { readonly type: "nudge"; readonly proxy: number }
  | { readonly type: "close"; readonly request: number; readonly proxy: number; readonly id: number }
  | { readonly type: "drain"; readonly proxy: number }
  | { readonly type: "cut"; readonly proxy: number }
  | { readonly type: "list"; readonly request: number; readonly proxy: number; readonly limit: number }
  | { readonly type: "resolved"; readonly host: string; readonly hosts: readonly string[]; readonly error?: string }
  /** So many events have been dealt with. */
  | { readonly type: "taken"; readonly events: number }
  /** Nothing goes on: what was thrown away can be collected. */
  | { readonly type: "trim" }
  | { readonly type: "stop" };

export type FromWorker =
  | FromBridge
  | FromLoad
  | { readonly type: "opened"; readonly proxy: number }
  | { readonly type: "stopped"; readonly proxy: number }
  | { readonly type: "drained"; readonly proxy: number }
  | { readonly type: "events"; readonly events: readonly ProxyEvent[]; readonly lost: number }
  | { readonly type: "nudge"; readonly proxy: number }
  /** Done: whether what was meant was here, or what there is. */
  | { readonly type: "answer"; readonly request: number; readonly proxy: number; readonly answer: Answer }
  | { readonly type: "resolve"; readonly host: string }
  | { readonly type: "full" };

export type Answer = boolean | ConnectionList;

/** Which events of a proxy somebody wants. */
export interface Wants {
  readonly opened: boolean;
  readonly closed: boolean;
  readonly failed: boolean;
  readonly broken: boolean;
  readonly read: boolean;
  readonly observer: boolean;
  readonly trouble: boolean;
  readonly line: boolean;
}

export type ProxyEvent =
  | { readonly event: "opened"; readonly proxy: number; readonly connection: Connection }
  | {
      readonly event: "closed" | "failed" | "broken";
      readonly proxy: number;
      readonly record: ConnectionRecord;
      readonly failure: Failure | undefined;
    }
  | { readonly event: "observer"; readonly proxy: number; readonly about: ObserverEvent }
  | { readonly event: "trouble"; readonly proxy: number; readonly about: MuxTrouble }
  | { readonly event: "line"; readonly proxy: number; readonly about: LineEvent }
  | {
      readonly event: "read";
      readonly proxy: number;
      readonly connection: Connection;
      readonly from: Role;
      readonly bytes: number;
    };
