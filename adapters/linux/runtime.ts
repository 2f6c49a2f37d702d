/** The seam on top of libc: `Runtime` for one thread that runs a {@link Loop}. */
import type { WorkerRuntime } from "../../src/engine/worker.ts";
import { refusedTlsAttempt, refuseTlsListener } from "../../src/net/no-tls.ts";
import type { Runtime } from "../../src/net/runtime.ts";
import { files } from "../portable/files.ts";
import { interfaces } from "../portable/interfaces.ts";
import { LinuxAlarm } from "./alarm.ts";
import { connect } from "./connect.ts";
import type { Core } from "./core.ts";
import { adoptDatagram, openDatagram } from "./datagram.ts";
import { endListening, listenOn } from "./listen.ts";
import { type Ending, LinuxListener } from "./listener.ts";
import type { Resolver } from "./resolver.ts";
import type { LinuxStream } from "./stream.ts";
import { trimHeap } from "./trim.ts";

export interface LinuxRuntime extends WorkerRuntime {
  readonly name: "linux";
}

/** What is no socket comes from the runtime around. */
export type Host = Pick<Runtime, "version" | "wallClock" | "resolve" | "resolveService" | "serve">;

export function linuxRuntime(core: Core, resolver: Resolver, host: Host, descriptors: number): LinuxRuntime {
  const { loop } = core;
  return {
    name: "linux",
    version: host.version,
    can: { pauseAccept: true, abstractUnix: true, reusePort: true, multicast: true, sourceMulticast: true },
    descriptors,
    now: () => loop.now,
    exactNow: () => performance.now(),
    wallClock: host.wallClock,
    after: core.after,
    alarm: (ring) => new LinuxAlarm(core, ring),
    async listen(at, options, accept) {
      refuseTlsListener(at);
      const made = await listenOn(core.system, resolver, at, options, 1);
      return new LinuxListener(
        core,
        made.descriptors[0] as number,
        at.kind === "tcp" && made.address.kind === "tcp" ? made.address : at,
        options,
        accept,
        made,
      );
    },
    adoptDatagram: (fd, at) => adoptDatagram(core, fd, at),
    trimHeap,
    adopt: (fd, at, options, accept) => new LinuxListener(core, fd, at, options, accept, ending(core, fd)),
    connect: (to, options) => refusedTlsAttempt(to) ?? connect(core, resolver, to, options),
    // Only streams of this core are ever given to it.
    link: (from, to, meter, mirror) => (from as LinuxStream).link(to as LinuxStream, meter, mirror),
    unlink: (from) => (from as LinuxStream).unlink(),
    datagram: (at, options) => openDatagram(core, at, options),
    interfaces,
    resolve: host.resolve,
    resolveService: host.resolveService,
    serve: host.serve,
    ...files,
  };
}

/** Of a TCP socket in the hands of this thread alone; one of unix has been stopped, and this changes nothing. */
function ending({ system }: Core, fd: number): Ending {
  return { stop() {}, close: () => endListening(system, fd) };
}
