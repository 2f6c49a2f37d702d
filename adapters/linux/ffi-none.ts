/** Stands in for the FFI where there is none (Node). */
import type { Ffi } from "./symbols.ts";

function refuse(): never {
  throw new Error("this runtime has no foreign function interface");
}

export const ffi: Ffi = { open: refuse, pointer: refuse, offset: refuse, at: refuse, view: refuse, store: refuse };
