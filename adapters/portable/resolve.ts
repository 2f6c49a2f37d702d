/**
 * Names to addresses and services, on `node:dns`. Each server is asked by a resolver of its own, because with
 * several in one the runtimes differ: none goes on to the next server after SERVFAIL, Deno not even after silence.
 * Their timeouts differ as well (Bun counts in whole seconds), so the time is ours, too, and a question that has
 * run out of it is withdrawn. Only getaddrinfo(3), which answers where no server is named, cannot be stopped: it
 * goes on behind our back, and Node waits for it even in process.exit.
 *
 * Deno 2.9.6 answers from the hosts file, and for `localhost`, even where a server is named; nothing stops it.
 */
import type { Resolver } from "node:dns/promises";
import { formatAddress, isIPv4, isIPv6, parseAddress } from "../../src/net/address.ts";
import { SocketError, UsageError } from "../../src/net/errors.ts";
import type { Endpoint, ResolveOptions, Runtime } from "../../src/net/runtime.ts";
import { clock } from "./clock.ts";
import { codeOf } from "./errors.ts";

export type RecordType = "A" | "AAAA" | "SRV";

/**
 * Rejects unless `server` really says that it has no such record: for a runtime that says so of every failure. It
 * has to end when `withdrawn`.
 */
export type Confirm = (server: Endpoint, name: string, type: RecordType, withdrawn: AbortSignal) => Promise<void>;

interface Question<T> {
  readonly name: string;
  readonly type: RecordType;
  put(resolver: Resolver): Promise<readonly T[]>;
}

/** How often each server is asked: a datagram may get lost. */
const ROUNDS = 2;
const DNS_PORT = 53;

/** What can be asked for (RFC 1035 section 2.3.4); the runtimes differ in what they say of other names. */
const NAME = /^(?=.{1,254}$)([^.\s]{1,63}\.)*[^.\s]{1,63}\.?$/;

export function resolution(confirm: Confirm = async () => {}): Pick<Runtime, "resolve" | "resolveService"> {
  return {
    async resolve(host, options) {
      if (isIPv4(host) || isIPv6(host)) return [host];
      try {
        const found =
          options.servers.length > 0 ? await addresses(host, options, confirm) : await lookUp(host, options);
        if (found.length === 0) throw new SocketError("ENOTFOUND");
        return [...new Set(found)];
      } catch (thrown) {
        throw resolveError(host, "address", options, thrown);
      }
    },
    async resolveService(name, options) {
      try {
        const put = (resolver: Resolver) => resolver.resolveSrv(name);
        const records = await ask({ name, type: "SRV", put }, options, confirm);
        const services = records.map(({ name: target, port, priority, weight }) => {
          return { host: target.replace(/\.$/, ""), port, priority, weight };
        });
        // The target "." means that the service is decidedly not available (RFC 2782).
        const available = services.filter(({ host }) => host !== "");
        if (available.length === 0) throw new SocketError("ENOTFOUND");
        return available;
      } catch (thrown) {
        throw resolveError(name, "SRV record", options, thrown);
      }
    },
  };
}

/** Of both families. One that cannot be had now is missing, and an error only if the other has nothing either. */
async function addresses(name: string, options: ResolveOptions, confirm: Confirm): Promise<readonly string[]> {
  const answers = await Promise.allSettled([
    ask({ name, type: "A", put: (resolver) => resolver.resolve4(name) }, options, confirm),
    ask({ name, type: "AAAA", put: (resolver) => resolver.resolve6(name) }, options, confirm),
  ]);
  const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  if (found.length > 0) return found;
  const failures = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason] : []));
  throw failures.find((failure) => !isAbsent(failure)) ?? failures[0];
}

/** What the machine is set up to use, hosts file and all. */
function lookUp(host: string, { timeout }: ResolveOptions): Promise<readonly string[]> {
  const found = lookups.get(host) ?? startLookup(host);
  return within(timeout, found, () => {});
}

/** Those that go on, by name. Whoever asks again joins: Node has four threads for them, and for all other names. */
const lookups = new Map<string, Promise<readonly string[]>>();

function startLookup(host: string): Promise<readonly string[]> {
  const found = import("node:dns/promises")
    .then(({ lookup }) => lookup(host, { all: true }))
    .then((records) => records.map(({ address }) => address));
  const over = () => lookups.delete(host);
  lookups.set(host, found);
  found.then(over, over);
  return found;
}

/** Asks one server after the other until one has an answer; "no such record" is one. */
async function ask<T>(question: Question<T>, options: ResolveOptions, confirm: Confirm): Promise<readonly T[]> {
  if (!NAME.test(question.name)) throw new SocketError("ENOTFOUND");
  const { Resolver } = await import("node:dns/promises");
  const servers = serversOf(options.servers.length > 0 ? options.servers : new Resolver().getServers());
  const rounds = Array.from({ length: ROUNDS }, () => servers).flat();
  const end = clock.now() + options.timeout;
  let failure: unknown = { code: "ENOSERVER" };
  for (const [round, server] of rounds.entries()) {
    const time = Math.max(1, (end - clock.now()) / (rounds.length - round));
    const resolver = new Resolver({ timeout: Math.ceil(2 * time), tries: 1 });
    try {
      return await askOnce(question, server, resolver, time, confirm);
    } catch (thrown) {
      if (isAbsent(thrown)) throw thrown;
      failure = thrown;
    }
  }
  throw failure;
}

function askOnce<T>(
  { name, type, put }: Question<T>,
  server: Endpoint,
  resolver: Resolver,
  time: number,
  confirm: Confirm,
): Promise<readonly T[]> {
  resolver.setServers([formatAddress({ kind: "tcp", ...server })]);
  const withdrawn = new AbortController();
  const answer = put(resolver).catch(async (thrown) => {
    if (isAbsent(thrown)) await confirm(server, name, type, withdrawn.signal);
    throw thrown;
  });
  return within(time, answer, () => {
    resolver.cancel();
    withdrawn.abort();
  });
}

function within<T>(ms: number, answer: Promise<T>, withdraw: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, () => {
      reject(new SocketError("ETIMEDOUT"));
      withdraw();
    });
    answer.finally(() => timer.cancel()).then(resolve, reject);
  });
}

/** Throws a `UsageError`. (Node would throw a TypeError, and dies of the port 0.) */
function serversOf(texts: readonly string[]): Endpoint[] {
  // Deno has each server of the machine twice.
  return [...new Set(texts)].map((text) => {
    if (isIPv4(text) || isIPv6(text)) return { host: text, port: DNS_PORT };
    const address = parseAddress(text, "target");
    if (address.kind === "tcp" && (isIPv4(address.host) || isIPv6(address.host))) return address;
    throw new UsageError("EADDRESS", `Cannot ask the DNS server "${text}": write its IP address, not its name`);
  });
}

const isAbsent = (thrown: unknown): boolean => codeOf(thrown) === "ENOTFOUND";

function resolveError(name: string, what: string, { servers, timeout }: ResolveOptions, thrown: unknown): Error {
  if (thrown instanceof UsageError) return thrown;
  const code = isAbsent(thrown) ? "ENOTFOUND" : "EAI_AGAIN";
  const where = servers.length > 0 ? `at ${servers.join(", ")}` : "as this machine is set up";
  const why = code === "ENOTFOUND" ? `there is no such name, or it has no ${what}` : reasonOf(thrown, timeout);
  return new SocketError(code, `Cannot resolve ${name} ${where}: ${why} (${code})`, { cause: thrown });
}

function reasonOf(thrown: unknown, timeout: number): string {
  const { code } = thrown as { code?: unknown };
  return code === "ETIMEDOUT" ? `no answer within ${timeout} ms` : `no server could answer, ${code}`;
}
