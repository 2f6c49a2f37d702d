/** What the log says about certificates. */
import type { Runtime } from "../net/runtime.ts";
import type { CertificateView } from "../tls/files.ts";
import type { TlsEvents } from "../tls/keeper.ts";
import type { Log } from "./log.ts";

const DAY = 86_400_000;
/** Days before the end from which on it is said. */
const SOON = 14;

export function tlsLog(log: Log, proxy: string, runtime: Pick<Runtime, "wallClock">): TlsEvents {
  const look = ({ file, notBefore, notAfter }: CertificateView) => {
    const now = runtime.wallClock();
    const end = new Date(notAfter).toISOString();
    const days = Math.floor((notAfter - now) / DAY);
    const warn = (why: string) => {
      const text = `weir: proxy "${proxy}": the certificate ${file} ${why}; clients may refuse it`;
      log.write("warn", "certificate", text, { proxy, file, notAfter: end });
    };
    if (now > notAfter) warn(`has expired on ${end}`);
    else if (now < notBefore) warn(`is not valid before ${new Date(notBefore).toISOString()}`);
    else if (days < SOON) warn(`expires in ${days} days, on ${end}`);
  };
  return {
    loaded(certificates, again) {
      if (again) {
        const files = certificates.map(({ file }) => file);
        const text = `weir: proxy "${proxy}": other certificates are in use: ${files.join(", ")}`;
        log.write("info", "certificates_changed", text, { proxy, files });
      }
      for (const certificate of certificates) look(certificate);
    },
    failed(why) {
      const text = `weir: the certificates that were in use stay: ${why}`;
      log.write("error", "certificates_failed", text, { proxy, error: why });
    },
    insecure() {
      const text = `weir: proxy "${proxy}" does not verify its targets: whoever is in between can read and change all`;
      log.write("warn", "target_insecure", text, { proxy });
    },
  };
}
