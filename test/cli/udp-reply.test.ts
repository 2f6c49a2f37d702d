/** `weir udp forward --reply`: a UDP proxy from the command line. */
import { describe, expect, test } from "bun:test";
import type { Run } from "../../src/cli/command.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { program } from "../../src/cli/program.ts";
import { udpConfig } from "../../src/cli/udp-line.ts";

function config(line: string) {
  const parsed = parseCommandLine(["udp", "forward", ...line.split(" ")], program);
  if (parsed.kind !== "run") throw new Error(`it is ${parsed.kind}`);
  return udpConfig(parsed as unknown as Run);
}

test("it is a proxy with the defaults of UDP", () => {
  const { proxies, bridges } = config(":53 10.0.0.7:53 udp://10.0.0.8:54 --reply");
  expect(bridges).toEqual([]);
  expect(proxies).toHaveLength(1);
  expect(proxies[0]).toMatchObject({
    listen: { kind: "udp", host: "::", port: 53 },
    targets: [{ address: { host: "10.0.0.7", port: 53 } }, { address: { host: "10.0.0.8", port: 54 } }],
    maxConnections: 10_000,
    timeouts: { idle: 60_000 },
  });
});

test("and what is said about sessions", () => {
  const [proxy] = config(":53 a:53 b:53 --reply --idle-timeout 5s --max-connections 9 --balance first").proxies;
  expect(proxy).toMatchObject({ maxConnections: 9, timeouts: { idle: 5_000 }, balance: "first" });
});

describe("what cannot be is told:", () => {
  test.each([
    [":53 a:53 --balance first", "--balance needs --reply"],
    [":53 a:53 --reply --lines", "--lines is for what goes one way"],
    [":53 a:53 --reply --tee", "--tee is for what goes one way"],
    [":53 239.1.2.3:53 --reply", "not for the group 239.1.2.3"],
    [":53 listen://:54 --reply", 'not for "listen"'],
    ["tcp://a:53 b:53 --reply", 'not for "stream"'],
    [":53 a:53 --udp-listen-addr :54 --reply", "there is one FROM"],
    ["localhost:53 a:53 --reply", '"localhost" is a name'],
    ["127.0.0.1:53 127.0.0.1:53 --reply", "leads back to the proxy itself"],
  ])("%s", (line, why) => {
    expect(() => config(line)).toThrow(why);
  });
});
