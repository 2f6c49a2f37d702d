/** libc calls through `bun:ffi`; see symbols.ts. Pointers are numbers. */
import { type Pointer as BunPointer, dlopen, type FFIFunction, ptr, toArrayBuffer } from "bun:ffi";
import { type Ffi, type Libc, type Pointer, SYMBOLS, signature } from "./symbols.ts";

const TYPES: Readonly<Record<string, string>> = { size: "usize" };
const translate = (kind: string) => TYPES[kind] ?? kind;

const native = (pointer: Pointer) => pointer as unknown as number;
const opaque = (address: number) => address as unknown as Pointer;

export const ffi: Ffi = {
  open(names) {
    const wanted: Record<string, FFIFunction> = {};
    for (const [name, words] of Object.entries(SYMBOLS)) {
      const { parameters, result } = signature(words);
      wanted[name] = { args: parameters.map(translate), returns: translate(result) } as FFIFunction;
    }
    let failure: unknown;
    for (const name of names) {
      try {
        return dlopen(name, wanted).symbols as unknown as Libc;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  },
  pointer: (memory) => opaque(ptr(memory)),
  at: (address) => opaque(Number(address)),
  offset: (pointer, bytes) => opaque(native(pointer) + bytes),
  view: (pointer, length) => toArrayBuffer(native(pointer) as BunPointer, 0, length),
  store(into, index, pointer) {
    into[index] = BigInt(native(pointer) ?? 0);
  },
};
