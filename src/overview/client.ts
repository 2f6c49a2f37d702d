/** Asks a running weir what it does, over its admin API. */
import * as v from "valibot";
import { type Address, formatAddress } from "../net/address.ts";
import { SocketError } from "../net/errors.ts";
import { httpGet } from "../net/http-get.ts";
import type { Runtime } from "../net/runtime.ts";
import { CONNECTIONS, type Connections, STATUS, type Status } from "./status.ts";

/** Connections that are shown at most. */
const LIMIT = 1_000;

/** Nobody answers. The message says what to look at, `brief` does not. */
export class NoAnswer extends SocketError {
  readonly brief: string;
  constructor(code: string, brief: string, remedy: string) {
    super(code, brief + remedy);
    this.brief = brief;
  }
}

export class AdminClient {
  readonly address: Address;
  readonly #runtime: Runtime;
  readonly #timeout: number;

  /** `timeout`: milliseconds for each answer. */
  constructor(runtime: Runtime, address: Address, timeout: number) {
    this.#runtime = runtime;
    this.address = address;
    this.#timeout = timeout;
  }

  /** Rejects with an error whose message says what to do. */
  status(): Promise<Status> {
    return this.#get("/api/status", STATUS);
  }

  connections(): Promise<Connections> {
    return this.#get(`/api/connections?limit=${LIMIT}`, CONNECTIONS);
  }

  async #get<S extends v.GenericSchema>(path: string, schema: S): Promise<v.InferOutput<S>> {
    const where = formatAddress(this.address);
    const { status, body } = await httpGet(this.#runtime, this.address, path, { timeout: this.#timeout }).catch(
      (error) => {
        throw refusal(error, where);
      },
    );
    if (status !== 200) throw new Error(`${where} answers ${path} with HTTP status ${status}: ${notWeir(status)}`);
    const result = v.safeParse(schema, parsed(body));
    if (result.success) return result.output;
    const at = v.getDotPath(result.issues[0]) ?? "the answer";
    throw new Error(`${where} answers ${path}, but ${at} is not as weir says it: is something else listening there?`);
  }
}

function refusal(error: unknown, where: string): Error {
  if (!(error instanceof SocketError)) return error instanceof Error ? error : new Error(String(error));
  const brief = `no weir answers at ${error.message.startsWith(where) ? "" : `${where}: `}${error.message}`;
  // Where nobody listens, nobody may have been told to.
  const absent = error.code === "ECONNREFUSED" || error.code === "ENOENT";
  return new NoAnswer(error.code, brief, absent ? "; is weir running, and its --metrics there?" : "");
}

function notWeir(status: number): string {
  if (status === 401 || status === 403) return "something in front of weir wants a password";
  return "is something else listening there, or an older weir?";
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
