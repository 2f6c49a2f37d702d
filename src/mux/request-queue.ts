/** What a client has asked for and was not sent yet, or what it gets instead, in order; counted where all is. */
import { CELL, type Counters } from "../metrics/counters.ts";
import { Fifo } from "./fifo.ts";
import type { Request } from "./request.ts";

export class RequestQueue {
  readonly #requests = new Fifo<Request>();
  readonly #counters: () => Counters;
  /** Bytes of all of them; those that were dropped stay in it. */
  bytes = 0;

  /** `counters`: those of this moment. */
  constructor(counters: () => Counters) {
    this.#counters = counters;
  }

  get length(): number {
    return this.#requests.length;
  }

  get first(): Request | undefined {
    return this.#requests.first;
  }

  push(request: Request): void {
    this.#requests.push(request);
    this.#count(1, request.length);
  }

  shift(): Request | undefined {
    const request = this.#requests.shift();
    if (request) this.#count(-1, -request.length);
    return request;
  }

  /** Puts requests in front, in their order. */
  unshift(requests: readonly Request[]): void {
    this.#requests.unshift(...requests);
    for (const { length } of requests) this.#count(1, length);
  }

  /** None of them is sent any more. */
  drop(): readonly Request[] {
    const requests = this.#requests.drain();
    this.#count(-requests.length, 0);
    return requests;
  }

  #count(requests: number, bytes: number): void {
    this.bytes += bytes;
    this.#counters().add(CELL.requestsQueued, requests);
  }
}
