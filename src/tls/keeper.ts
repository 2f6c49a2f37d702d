/**
 * The certificates of one proxy: read at its start, looked at every second, and exchanged when their files have changed. What
 * is broken then is told, and the old ones stay. Connections that live keep what they began with.
 */

import { isTls } from "../net/address.ts";
import { SocketError, UsageError } from "../net/errors.ts";
import type { Listener, Runtime, Timer } from "../net/runtime.ts";
import { type ClientTls, PLAIN_CLIENT_TLS, type ServerTls } from "../net/tls.ts";
import { type CertificateState, type CertificateView, type Loaded, PemReader } from "./files.ts";
import { TARGET_TLS, type TlsSettings } from "./tls-config.ts";

export interface TlsEvents {
  /** Certificates are in use from now on; `again`: in place of others. */
  loaded?(certificates: readonly CertificateView[], again: boolean): void;
  /** The files have changed to what cannot be used; the old certificates stay. */
  failed?(why: string): void;
  /** Targets are not verified. */
  insecure?(): void;
}

/** Milliseconds between two looks. */
const INTERVAL = 1_000;

/** Milliseconds of a hundredth of a day. */
const HUNDREDTH = 864_000;

type Named = TlsSettings & { readonly name: string };

export class TlsKeeper {
  readonly #runtime: Runtime;
  readonly #events: TlsEvents;
  readonly #listeners = new Set<Listener>();
  #config: Named;
  #server: ServerTls | undefined;
  #client: ClientTls = PLAIN_CLIENT_TLS;
  #certificates: readonly CertificateView[] = [];
  /** All files, as they are in use, and as they were at the last look. */
  #used = "";
  #last = "";
  #timer: Timer | undefined;
  #stopped = false;

  /** @throws {UsageError} `ECONFIG`, naming the file and what to do. */
  constructor(runtime: Runtime, config: Named, events: TlsEvents = {}) {
    this.#runtime = runtime;
    this.#config = config;
    this.#events = events;
    this.#take(config);
    events.loaded?.(this.#certificates, false);
    const { verify, pins } = config.targetTls ?? TARGET_TLS;
    if (verify === "insecure" && pins.length === 0) events.insecure?.();
    this.#lookLater();
  }

  /** The certificates, as they are now. */
  get states(): readonly CertificateState[] {
    const now = this.#runtime.wallClock();
    return this.#certificates.map((each) => {
      return { ...each, daysLeft: Math.round((each.notAfter - now) / HUNDREDTH) / 100 };
    });
  }

  /** A runtime whose addresses with TLS have these certificates, whatever they are at the moment. */
  over(runtime: Runtime): Runtime {
    return {
      ...runtime,
      listen: async (at, options, accept) => {
        const listener = await runtime.listen(at, { ...options, serverTls: this.#server }, accept);
        if (isTls(at)) this.#listeners.add(listener);
        return listener;
      },
      connect: (to, options) => runtime.connect(to, isTls(to) ? { ...options, clientTls: this.#client } : options),
    };
  }

  /** Other settings, and the files as they are now. Throws as the constructor does, with everything as it was. */
  configure(config: Named): void {
    this.#take(config);
    this.#config = config;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #take(config: Named): void {
    const reader = new PemReader(this.#runtime, config.name);
    this.#use(load(reader, config));
    this.#used = reader.seen;
    this.#last = this.#used;
  }

  /** All of it, or nothing: what a listener does not take throws. */
  #use({ server, client }: Both): void {
    if (server) for (const listener of this.#listeners) listener.renew?.(server.tls);
    this.#server = server?.tls;
    this.#client = client.tls;
    this.#certificates = [...(server?.certificates ?? []), ...client.certificates];
  }

  #lookLater(): void {
    if (this.#stopped) return;
    this.#timer = this.#runtime.after(INTERVAL, () => {
      this.#look();
      this.#lookLater();
    });
  }

  /** A certificate and its key are two files: what is broken may be half of a change, and is told when it stays so. */
  #look(): void {
    const reader = new PemReader(this.#runtime, this.#config.name);
    let both: Both | undefined;
    let why = attempt(() => {
      both = load(reader, this.#config);
    });
    const { seen } = reader;
    const settled = seen === this.#last;
    this.#last = seen;
    if (seen === this.#used) return;
    why ??= attempt(() => both && this.#use(both));
    if (why === undefined) {
      this.#used = seen;
      this.#events.loaded?.(this.#certificates, true);
    } else if (settled) {
      // Told once, until it changes again.
      this.#used = seen;
      this.#events.failed?.(why);
    }
  }
}

interface Both {
  readonly server: Loaded<ServerTls> | undefined;
  readonly client: Loaded<ClientTls>;
}

/** @throws {UsageError} `ECONFIG` */
function load(reader: PemReader, { tls, targetTls }: Named): Both {
  return { server: tls ? reader.server(tls) : undefined, client: reader.client(targetTls ?? TARGET_TLS) };
}

/** Reads all files of a proxy, and no more. @throws {UsageError} `ECONFIG` */
export function checkTlsFiles(runtime: Runtime, config: Named): readonly CertificateView[] {
  const { server, client } = load(new PemReader(runtime, config.name), config);
  return [...(server?.certificates ?? []), ...client.certificates];
}

/** Why it cannot be done. */
function attempt(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof UsageError || error instanceof SocketError) return error.message;
    throw error;
  }
}
