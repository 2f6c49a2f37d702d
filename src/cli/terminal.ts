/** The terminal that a program was started in, taken over by it: keys come as they are pressed, the whole screen is its. */
export interface Terminal {
  /** Columns and rows at this moment, each at least 1. */
  readonly size: { readonly columns: number; readonly rows: number };
  /** Resolves when the terminal has all of it. */
  write(text: string): Promise<void>;
  /** Gives the terminal back and stops the process, as Ctrl+Z does; does nothing where there is no such thing. */
  suspend(): void;
  /** Gives the terminal back. Once more does no harm; the process does it at its end, however that comes about. */
  close(): void;
}

export interface TerminalEvents {
  /** Bytes of keys, a key or several, or a part of one. */
  input(bytes: Uint8Array): void;
  /** It has another size, or what was on it is gone: all is to be drawn again. */
  redraw(): void;
  /** There is nobody at it any more. */
  ended(): void;
}

/** Undefined, with nothing changed: there is no terminal, or (`TERM=dumb`) one that cannot place a cursor. */
export type OpenTerminal = (events: TerminalEvents) => Terminal | undefined;
