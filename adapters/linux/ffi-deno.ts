/** libc calls through `Deno.dlopen`; see symbols.ts. Pointers are objects: passing them costs half of what a number costs. */
import { type Ffi, type Libc, type Pointer, SYMBOLS, signature } from "./symbols.ts";

const TYPES: Readonly<Record<string, string>> = { size: "u32", ptr: "pointer" };
const translate = (kind: string) => TYPES[kind] ?? kind;

const native = (pointer: Pointer) => pointer as unknown as Deno.PointerValue;
const opaque = (pointer: Deno.PointerValue) => pointer as unknown as Pointer;

function present(pointer: Pointer): Deno.PointerObject {
  const value = native(pointer);
  if (value === null) throw new Error("a null pointer has no memory behind it");
  return value;
}

export const ffi: Ffi = {
  open(names) {
    const wanted: Deno.ForeignLibraryInterface = Object.fromEntries(
      Object.entries(SYMBOLS).map(([name, words]) => {
        const { parameters, result } = signature(words);
        return [name, { parameters: parameters.map(translate), result: translate(result) } as Deno.ForeignFunction];
      }),
    );
    let failure: unknown;
    for (const name of names) {
      try {
        return Deno.dlopen(name, wanted).symbols as unknown as Libc;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  },
  pointer: (memory) => opaque(Deno.UnsafePointer.of(memory)),
  at: (address) => opaque(Deno.UnsafePointer.create(address)),
  offset: (pointer, bytes) => opaque(Deno.UnsafePointer.offset(present(pointer), bytes)),
  view: (pointer, length) => Deno.UnsafePointerView.getArrayBuffer(present(pointer), length),
  store(into, index, pointer) {
    into[index] = Deno.UnsafePointer.value(native(pointer));
  },
};
