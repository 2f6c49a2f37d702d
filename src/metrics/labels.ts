/** Labels as Prometheus reads them (text exposition format 0.0.4). */

/** @example labels({ proxy: "web" }, { le: "+Inf" }) // {proxy="web",le="+Inf"} */
export function labels(...sets: readonly Readonly<Record<string, string>>[]): string {
  const pairs = sets.flatMap((set) => Object.entries(set)).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
}
