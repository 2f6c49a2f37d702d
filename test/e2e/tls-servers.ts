/** Other people's TLS: servers with certificates of their own, made by openssl, and clients that say what they see. */
import { join } from "node:path";
import { Daemon } from "./daemon.ts";
import { run } from "./weir.ts";

/**
 * `openssl s_server` with a certificate for this name, made for the test. It answers requests over HTTP with a page that
 * tells how the connection came about, and speaks the protocols it is given.
 */
export function tlsServer(name: string, ...alpn: string[]): Promise<Daemon> {
  return Daemon.start({
    ports: 1,
    async prepare([port], directory) {
      const [key, certificate] = [join(directory, "key.pem"), join(directory, "cert.pem")];
      const about = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`, "-days", "2"];
      const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
      const made = await run(["openssl", "req", "-x509", ...curve, ...about, "-keyout", key, "-out", certificate]);
      if (made.code !== 0) throw new Error(made.err);
      const protocols = alpn.length > 0 ? ["-alpn", alpn.join(",")] : [];
      return [
        "openssl",
        "s_server",
        "-accept",
        `127.0.0.1:${port}`,
        "-cert",
        certificate,
        "-key",
        key,
        "-www",
        ...protocols,
      ];
    },
    ready: async ([port = 0]) => (await subjectAt(port)) !== undefined,
  });
}

/** Whose certificate a client that asks for this name gets there; undefined: none. */
export async function subjectAt(port: number, name?: string, ...more: string[]): Promise<string | undefined> {
  return /^subject=.*?CN ?= ?(\S+)$/m.exec(await client(port, name, ...more))?.[1];
}

/** What `openssl s_client` prints, errors included; it sends nothing and leaves after the handshake. */
export async function client(port: number, name?: string, ...more: string[]): Promise<string> {
  const asked = name === undefined ? ["-noservername"] : ["-servername", name];
  const { out, err } = await run(["openssl", "s_client", "-connect", `127.0.0.1:${port}`, ...asked, ...more], "");
  return `${out}\n${err}`;
}

/** `curl` fetches a page of this name, which is at that port, and trusts the certificate of that server alone. */
export function curl(name: string, port: number, server: Daemon, ...more: string[]): ReturnType<typeof run> {
  const trust = ["--cacert", join(server.directory, "cert.pem"), "--resolve", `${name}:${port}:127.0.0.1`];
  return run(["curl", "--silent", "--show-error", "--http1.1", ...trust, ...more, `https://${name}:${port}/`]);
}
