/** Reads a configuration file, and what it names. */
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { placed, withRangeFiles } from "../config/range-files.ts";
import type { CertificateFiles } from "../tls/tls-config.ts";
import type { Host } from "./host.ts";
import { rangeReader, reader } from "./read-file.ts";

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
