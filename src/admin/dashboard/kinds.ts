/** What faults there are, for a form to be made of. */
import { exampleOf } from "../../config/fault-values.ts";
import { FAULT_TYPES, FAULTS, isDatagramFault, isStreamFault } from "../../filter/faults/fault.ts";
import type { FaultWords, Unit } from "../../filter/faults/kind.ts";

export interface KindRow {
  readonly type: string;
  readonly about: string;
  /** Of which proxies it can be. */
  readonly transports: readonly ("stream" | "datagram")[];
  readonly attributes: readonly AttributeRow[];
}

interface AttributeRow {
  readonly name: string;
  readonly about: string;
  readonly unit: Unit | "text";
  /** It has to be written. */
  readonly needed: boolean;
  /** As in files. */
  readonly example: string;
}

export function faultKinds(): readonly KindRow[] {
  return FAULT_TYPES.map((type) => {
    const { about, attributes }: FaultWords = FAULTS[type];
    return {
      type,
      about,
      transports: [
        ...(isStreamFault(type) ? (["stream"] as const) : []),
        ...(isDatagramFault(type) || type === "down" ? (["datagram"] as const) : []),
      ],
      attributes: Object.entries(attributes).map(([name, attribute]) => ({
        name,
        about: attribute.about,
        unit: attribute.unit,
        needed: attribute.default === undefined,
        example: exampleOf(attribute).replace(/^"(.*)"$/, "$1"),
      })),
    };
  });
}
