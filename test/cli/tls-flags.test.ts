/** Flags for TLS become what files say. */
import { describe, expect, test } from "bun:test";
import type { Run } from "../../src/cli/command.ts";
import { tcpConfig } from "../../src/cli/config-flags.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { program } from "../../src/cli/program.ts";
import { TLS_FLAGS } from "../../src/cli/tls-flag-table.ts";
import { loadConfig } from "../../src/config/load.ts";

const PIN = "sha256//s7Gjhr9KXhgsQh6ONAniXt4a39HpR++4LpmLLnugUz0=";

function line(text: string): Run {
  const parsed = parseCommandLine(text.split(" "), program);
  if (parsed.kind !== "run") throw new Error("it asks for help");
  return parsed;
}

describe("weir tcp over TLS", () => {
  test("with all flags is what a file with all keys is", () => {
    const file = `
      [admin]
      listen = "127.0.0.1:9000"
      [[proxy]]
      listen = "tls://:8443"
      target = "tls://app.test:443"
      [proxy.tls]
      certificates = [{ certificate = "a.pem", key = "a.key" }, { certificate = "b.pem", key = "b.key" }]
      min_version = "1.3"
      alpn = ["h2", "http/1.1"]
      client_ca = "ca.pem"
      client_names = ["*.staff.test", "alice"]
      [proxy.target_tls]
      ca = "ca.pem"
      server_name = "inner.test"
      certificate = "c.pem"
      key = "c.key"
      pin = "${PIN}"
      verify = "insecure"
      `;
    const flags = [
      "--tls-certificate a.pem --tls-key a.key --tls-certificate b.pem --tls-key b.key --tls-min-version 1.3",
      "--tls-alpn h2 --tls-alpn http/1.1 --tls-client-ca ca.pem --tls-client-name *.staff.test --tls-client-name alice",
      "--target-ca ca.pem --target-name inner.test --target-certificate c.pem --target-key c.key",
      `--target-pin ${PIN} --target-insecure`,
    ];
    const run = line(`tcp tls://:8443 tls://app.test:443 --metrics 9000 ${flags.join(" ")}`);
    expect(tcpConfig(run)).toEqual(loadConfig(file, "weir.toml"));
    const names = TLS_FLAGS.flags.map(({ name }) => name as string);
    expect(Object.keys(run.flags).sort()).toEqual([...names, "metrics"].sort());
  });

  test("one file may hold a certificate and its key", () => {
    const [proxy] = tcpConfig(line("tcp tls://:1 tls://b:2 --tls-certificate a --target-certificate c")).proxies;
    expect(proxy?.tls?.certificates).toEqual([{ certificate: "a", key: "a" }]);
    expect(proxy?.targetTls?.credential).toEqual({ certificate: "c", key: "c" });
  });

  test.each([
    ["tcp tls://:1 b:2", "needs a certificate; add tls.certificates"],
    ["tcp :1 b:2 --tls-certificate a", "no address for TLS"],
    ["tcp :1 b:2 --tls-key a", "weir tcp: --tls-key needs --tls-certificate"],
    ["tcp :1 b:2 --tls-min-version 1.3", "weir tcp: --tls-min-version needs --tls-certificate"],
    [
      "tcp tls://:1 b:2 --tls-certificate a --tls-certificate b --tls-key c",
      "there are 2 of --tls-certificate and 1 of",
    ],
    ["tcp :1 b:2 --target-ca a", "there is no target with TLS"],
    ["tcp :1 b:2 --target-insecure", "there is no target with TLS"],
    ["tcp :1 tls://b:2 --target-key a", "weir tcp: --target-key needs --target-certificate"],
    ["tcp tls://:1 b:2 --tls-certificate a --tls-client-name b.test", "add client_ca"],
    ["tcp tls://:1 b:2 --tls-certificate a --accept-proxy-from 10.0.0.1", "a PROXY header would come before"],
  ])("%p is refused", (text, why) => {
    expect(() => tcpConfig(line(text))).toThrow(why);
  });

  test.each([
    ["tcp :1 tls://b:2 --target-pin abc", 'Cannot use the fingerprint "abc"'],
    ["tcp :1 tls://b:2 --target-name b:2", 'Cannot use the server name "b:2"'],
    ["tap tls://:1 b:2", "there is no TLS here"],
    ["tcp :1 b:2 --metrics tls://:3", "there is no TLS here"],
  ])("%p is refused at once", (text, why) => {
    expect(() => line(text)).toThrow(why);
  });
});
