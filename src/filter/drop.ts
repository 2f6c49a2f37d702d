/** Throws bytes away: whatever it finds, or everything. */
import type { Pattern } from "./pattern.ts";
import { Replace } from "./replace.ts";
import { type Direction, Step, type StepContext } from "./step.ts";

export interface DropConfig {
  readonly type: "drop";
  readonly direction: Direction | "both";
  /** null: everything, so that the session is a one-way street. The FIN passes. */
  readonly pattern: Pattern | null;
}

export function createDrop({ pattern }: DropConfig, context: StepContext): Step {
  return pattern ? new Replace({ pattern, with: new Uint8Array(0) }, context) : new Drop();
}

class Drop extends Step {
  override write(): boolean {
    return true;
  }
}
