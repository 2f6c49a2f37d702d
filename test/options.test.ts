/** What the library's options become: the same as flags and files, and what is said of those out of range. */
import { expect, test } from "bun:test";
import { loadConfig } from "../src/config/load.ts";
import { type ProxyOptions, toProxyConfig } from "../src/options.ts";

test("without options a proxy is what a file with one is", () => {
  const [proxy] = loadConfig('[[proxy]]\nlisten = 8080\ntarget = "example.com:80"\n', "weir.toml").proxies;
  expect(toProxyConfig("8080", "example.com:80", {})).toEqual({ ...proxy, name: "127.0.0.1:8080" } as never);
});

test("a unix socket has no port to share", () => {
  const message = "The option reusePort is true, and a unix socket has no port; leave it out";
  expect(() => toProxyConfig("unix:/run/x", "example.com:80", { reusePort: true })).toThrow(
    expect.objectContaining({ name: "UsageError", code: "EOPTION", message }),
  );
});

test.each<[ProxyOptions, string]>([
  [{ health: { interval: 0 } }, "The option health.interval is 0; use 1 to 2147483647 milliseconds"],
  [{ health: { timeout: 0 } }, "The option health.timeout is 0; use 1 to 2147483647 milliseconds"],
  [{ dns: { interval: 0 } }, "The option dns.interval is 0; use 1 to 2147483647 milliseconds"],
  [{ dns: { timeout: Number.NaN } }, "The option dns.timeout is NaN; use 1 to 2147483647 milliseconds"],
  [{ queue: { timeout: -1 } }, "The option queue.timeout is -1; use 0 to 2147483647 milliseconds"],
  [{ rate: { connectionsPerSource: "1/s", burst: 0 } }, "The option rate.burst is 0; use 1 to 1000000 connections"],
  [{ noneHealthy: "all" as never }, 'The option noneHealthy is "all"; use refuse, try_all'],
])("%j is refused", (options, message) => {
  expect(() => toProxyConfig("8080", "example.com:80", options)).toThrow(
    expect.objectContaining({ name: "UsageError", code: "EOPTION", message }),
  );
});
