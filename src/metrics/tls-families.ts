/** What there is to count of TLS; only where there is some. */
import { CELL, type Counters } from "./counters.ts";
import { familyLines, owner } from "./family.ts";
import { labels } from "./labels.ts";

interface TlsFigures {
  readonly config: { readonly name: string };
  readonly certificates?: readonly { readonly file: string; readonly daysLeft: number }[];
}

/** Handshakes that failed are connections that failed, by their causes. */
export function tlsFamilies(figures: readonly Counters[], proxies: readonly TlsFigures[]): string[] {
  return [...handshakes(figures), ...expiry(proxies)];
}

const VERSIONS = { "1.2": CELL.handshakes12, "1.3": CELL.handshakes13 } as const;

function handshakes(figures: readonly Counters[]): string[] {
  const counting = figures.filter((each) => Object.values(VERSIONS).some((cell) => each.get(cell) > 0));
  if (counting.length === 0) return [];
  const name = "weir_tls_handshakes_total";
  return familyLines(
    {
      name,
      type: "counter",
      help: "TLS handshakes of clients that went well, by version.",
      of: () => true,
      lines: (counters) =>
        Object.entries(VERSIONS).map(
          ([version, cell]) => `${name}${labels(owner(counters), { version })} ${counters.get(cell)}`,
        ),
    },
    counting,
  );
}

function expiry(proxies: readonly TlsFigures[]): string[] {
  const name = "weir_tls_certificate_days_left";
  const lines = new Map<string, number>();
  for (const { config, certificates = [] } of proxies) {
    for (const { file, daysLeft } of certificates)
      lines.set(labels({ proxy: config.name, certificate: file }), daysLeft);
  }
  if (lines.size === 0) return [];
  const help = "Days until the certificate expires, below 0 once it has.";
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...[...lines].map((line) => `${name}${line.join(" ")}`)];
}
