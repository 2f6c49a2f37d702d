/** Reads files, a configuration above all and those it names, with errors that say which file and what to do. */
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { visible } from "../config/problem.ts";
import { placed, type ReadFile, withRangeFiles } from "../config/range-files.ts";
import { UsageError } from "../net/errors.ts";
import type { CertificateFiles } from "../tls/tls-config.ts";
import type { Host } from "./host.ts";

const WHY: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EISDIR: "it is a directory; name the file in it",
  ENOENT: "there is no such file",
};

export async function readConfig(host: Host, path: string): Promise<Config> {
  const config = loadConfig(await reader(host, "configuration")(path), path);
  // What a configuration names lies beside it, wherever weir was started.
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  return await withRangeFiles(withTlsFiles(withScripts(config, folder), folder), rangeReader(host), folder);
}

/** With the paths of filters' modules as they are from here. */
function withScripts(config: Config, folder: string): Config {
  const proxies = config.proxies.map((proxy) => {
    const filters = proxy.filters.map((filter) =>
      filter.type === "script" ? { ...filter, path: placed(filter.path, folder) } : filter,
    );
    return { ...proxy, filters };
  });
  return { ...config, proxies };
}

/** With the paths of certificates and keys as they are from here. */
function withTlsFiles(config: Config, folder: string): Config {
  const here = (file: string) => placed(file, folder);
  const pair = ({ certificate, key }: CertificateFiles) => ({ certificate: here(certificate), key: here(key) });
  const proxies = config.proxies.map((proxy) => {
    const { tls, targetTls } = proxy;
    return {
      ...proxy,
      tls: tls && { ...tls, certificates: tls.certificates.map(pair), clientCa: tls.clientCa && here(tls.clientCa) },
      targetTls: targetTls && {
        ...targetTls,
        ca: targetTls.ca && here(targetTls.ca),
        credential: targetTls.credential && pair(targetTls.credential),
      },
    };
  });
  return { ...config, proxies };
}

/** The text of a file that is no configuration; `what` it is stands in the message if it cannot be read. */
export function readText(host: Host, what: string, path: string): Promise<string> {
  return reader(host, what)(path);
}

export function rangeReader(host: Host): ReadFile {
  return reader(host, "ranges");
}

/** The same as bytes. */
export function readBytes(host: Host, what: string, path: string): Promise<Uint8Array> {
  return explained(what, path, () => host.readBytes(path));
}

function reader(host: Host, what: string): ReadFile {
  return (path) => explained(what, path, () => host.readFile(path));
}

async function explained<T>(what: string, path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { code = "", message } = error as { code?: string; message?: string };
    throw new UsageError("ECONFIG", visible(`Cannot read ${what} "${path}": ${WHY[code] ?? message}`));
  }
}
