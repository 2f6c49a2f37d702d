/**
 * TOML text to plain values. The only module that knows which parser does it.
 */
import { parse, TomlError } from "smol-toml";

/** Keys to values; without a prototype, so that no key is there unless the file has it. */
export type Table = Readonly<Record<string, unknown>>;

/** Lines and columns count from 1. */
export type TomlResult =
  | { readonly ok: true; readonly table: Table }
  | { readonly ok: false; readonly line: number; readonly column: number; readonly message: string };

/** Reads TOML. What is not TOML comes back as the place and one line of why. */
export function parseToml(text: string): TomlResult {
  try {
    return { ok: true, table: parse(text) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    return { ok: false, line: error.line, column: error.column, message: reason(error) };
  }
}

/** Whether a value read by {@link parseToml} is a table: not an array, not a date. */
export function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** The parser's message is a preamble, the reason, and several lines of the file. */
function reason(error: TomlError): string {
  const [first = ""] = error.message.split("\n");
  return first.replace(/^Invalid TOML document: /, "not valid TOML: ");
}
