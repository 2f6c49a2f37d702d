/** What the API says about names that it does not know. */
import { nearest } from "../config/nearest.ts";

/** How a sentence about an unknown name ends: with the one that was meant, or with those that there are. */
export function meant(text: string, known: readonly string[]): string {
  const near = nearest(text, known);
  if (near !== undefined) return `; did you mean "${near}"?`;
  return known.length > 0 ? `; there are ${known.join(", ")}` : "; there is none";
}
