/** Certificates and keys from files, read and checked, so that what is wrong with them is an error with a name and a remedy. */
import { FileError, UsageError } from "../net/errors.ts";
import type { Runtime } from "../net/runtime.ts";
import type { ClientTls, Credential, ServerTls, TlsTools } from "../net/tls.ts";
import { clientRule, pinRule } from "./peer.ts";
import type { CertificateFiles, ListenTlsConfig, TargetTlsConfig } from "./tls-config.ts";

/** A certificate that is in use. */
export interface CertificateView {
  readonly file: string;
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** The same at some moment. */
export interface CertificateState extends CertificateView {
  /** Below 0 once it has expired. */
  readonly daysLeft: number;
}

export interface Loaded<T> {
  readonly tls: T;
  readonly certificates: readonly CertificateView[];
}

/** Reads files, each once, and remembers what was in them. */
export class PemReader {
  readonly #runtime: Pick<Runtime, "readFile" | "tls" | "name">;
  readonly #proxy: string;
  readonly #texts = new Map<string, string>();

  /** `proxy`: its name, for messages. */
  constructor(runtime: Pick<Runtime, "readFile" | "tls" | "name">, proxy: string) {
    this.#runtime = runtime;
    this.#proxy = proxy;
  }

  /** All that was read, as one text. */
  get seen(): string {
    return JSON.stringify([...this.#texts]);
  }

  /** @throws {UsageError} `ECONFIG` */
  server(config: ListenTlsConfig): Loaded<ServerTls> {
    const loaded = config.certificates.map((files) => this.#credential(files));
    return {
      tls: {
        certificates: loaded.map(({ tls }) => tls),
        minVersion: config.minVersion,
        alpn: config.alpn,
        clientCa: this.#ca(config.clientCa),
        refuses: clientRule(config.clientNames, config.clientFingerprints),
        handshakeTimeout: config.handshakeTimeout,
      },
      certificates: loaded.flatMap(({ certificates }) => certificates),
    };
  }

  /** @throws {UsageError} `ECONFIG` */
  client(config: TargetTlsConfig): Loaded<ClientTls> {
    const loaded = config.credential && this.#credential(config.credential);
    return {
      tls: {
        ca: this.#ca(config.ca),
        serverName: config.serverName ?? undefined,
        credential: loaded?.tls,
        verify: config.verify === "full",
        refuses: pinRule(config.pins),
        alpn: config.alpn,
      },
      certificates: loaded?.certificates ?? [],
    };
  }

  #credential(files: CertificateFiles): Loaded<Credential> {
    const certificate = this.#read(files.certificate);
    const facts = this.#tools.inspect(certificate);
    if (!facts) throw this.#wrong(files.certificate, NO_CERTIFICATE);
    const key = this.#read(files.key);
    const problem = this.#tools.keyProblem(certificate, key);
    if (problem) throw this.#wrong(files.key, KEY_PROBLEMS[problem](files));
    const { names, notBefore, notAfter } = facts;
    return {
      tls: { certificate, key, names },
      certificates: [{ file: files.certificate, names, notBefore, notAfter }],
    };
  }

  #ca(file: string | null): string | undefined {
    if (file === null) return undefined;
    const text = this.#read(file);
    if (!this.#tools.inspect(text)) throw this.#wrong(file, NO_CERTIFICATE);
    return text;
  }

  #read(file: string): string {
    const known = this.#texts.get(file);
    if (known !== undefined) return known;
    // One that cannot be read now may come back.
    this.#texts.set(file, "");
    try {
      const text = this.#runtime.readFile(file);
      this.#texts.set(file, text);
      return text;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      throw new UsageError("ECONFIG", `proxy "${this.#proxy}": ${error.message}; tls needs it`);
    }
  }

  get #tools(): TlsTools {
    const { tls, name } = this.#runtime;
    if (tls) return tls;
    throw new UsageError("ECONFIG", `proxy "${this.#proxy}": there is no TLS on ${name}; use --engine portable`);
  }

  #wrong(file: string, why: string): UsageError {
    return new UsageError("ECONFIG", `proxy "${this.#proxy}": Cannot use ${file}: ${why}`);
  }
}

const NO_CERTIFICATE =
  'there is no certificate in it; write one in PEM, which begins with "-----BEGIN CERTIFICATE-----"';

const KEY_PROBLEMS = {
  unreadable: () => "there is no private key in it that can be read; write one in PEM",
  encrypted: () => "the key has a passphrase; take it off with openssl pkey -in FILE -out FILE",
  other: ({ certificate }) => `it is not the key of ${certificate}; name the one with which that was made`,
} as const satisfies Record<string, (files: CertificateFiles) => string>;
