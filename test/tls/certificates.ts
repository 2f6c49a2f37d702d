/** Certificates for tests, made by openssl when they are wanted, in a directory of the caller's. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const OPENSSL = "openssl";

export function haveOpenssl(): boolean {
  return spawnSync(OPENSSL, ["version"]).status === 0;
}

/** The paths of two PEM files. */
export interface Issued {
  readonly certificate: string;
  readonly key: string;
}

export interface Wish {
  /** The common name. */
  readonly name?: string;
  /** `DNS:a.test,IP:127.0.0.1` */
  readonly alternative?: string;
  /** Without it the certificate signs itself. */
  readonly issuer?: Issued;
  /** Days from now on; the past ends yesterday. */
  readonly days?: number;
}

/** Writes `NAME.pem` and `NAME.key` into `directory`. */
export function issue(directory: string, file: string, wish: Wish = {}): Issued {
  const { name = file, alternative, issuer, days = 30 } = wish;
  const made = { certificate: join(directory, `${file}.pem`), key: join(directory, `${file}.key`) };
  const request = join(directory, `${file}.csr`);
  const extensions = join(directory, `${file}.ext`);
  openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", made.key);
  openssl("req", "-new", "-key", made.key, "-out", request, "-subj", `/CN=${name}`);
  const isCa = alternative === undefined && issuer === undefined;
  const lines = [`basicConstraints=CA:${isCa ? "TRUE" : "FALSE"}`];
  if (alternative !== undefined) lines.push(`subjectAltName=${alternative}`);
  writeFileSync(extensions, `${lines.join("\n")}\n`);
  const signer = issuer
    ? ["-CA", issuer.certificate, "-CAkey", issuer.key, "-CAserial", `${request}.srl`, "-CAcreateserial"]
    : ["-signkey", made.key];
  const span = days > 0 ? ["-days", String(days)] : ["-not_before", "20200101000000Z", "-not_after", "20200201000000Z"];
  if (days > 0)
    openssl("x509", "-req", "-in", request, ...signer, ...span, "-extfile", extensions, "-out", made.certificate);
  else expired(directory, request, made, extensions, issuer ?? made);
  return made;
}

/** Before OpenSSL 3.4 the command `x509` dates nothing back; `ca` does. */
function expired(directory: string, request: string, made: Issued, extensions: string, signer: Issued): void {
  const base = join(directory, `ca-${Math.random().toString(36).slice(2)}`);
  writeFileSync(`${base}.db`, "");
  writeFileSync(
    `${base}.cnf`,
    `[ca]\ndefault_ca=own\n[own]\ndatabase=${base}.db\nnew_certs_dir=${directory}\nrand_serial=yes\ndefault_md=sha256\n` +
      "policy=any\nunique_subject=no\n[any]\ncommonName=supplied\n",
  );
  const dates = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"];
  const self = signer === made ? ["-selfsign"] : ["-cert", signer.certificate];
  const common = ["ca", "-batch", "-config", `${base}.cnf`, "-in", request, "-out", made.certificate, "-notext"];
  openssl(...common, "-keyfile", signer.key, ...self, ...dates, "-extfile", extensions);
}

function openssl(...args: string[]): void {
  execFileSync(OPENSSL, args, { stdio: ["ignore", "ignore", "pipe"] });
}

export function textOf(path: string): string {
  return readFileSync(path, "utf8");
}
