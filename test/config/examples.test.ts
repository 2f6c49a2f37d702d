/** The examples are what people copy: they must load, and say what the defaults are. */
import { expect, test } from "bun:test";
import { type Config, DEFAULTS } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { fileSchema } from "../../src/config/schema.ts";
import { formatAddress } from "../../src/net/address.ts";

test("weir.toml shows the defaults", async () => {
  const config = await example("weir.toml");
  expect(config.log).toEqual(DEFAULTS.log);
  expect(config.engine).toEqual(DEFAULTS.engine);
  expect(config.shutdown).toEqual(DEFAULTS.shutdown);
  expect(config.proxies.map(({ name }) => name)).toEqual(["db", "proxy-2"]);
  // A source address and ranges have no defaults to show.
  const { source: _, allow: __, deny: ___, ...defaults } = DEFAULTS.proxy;
  for (const proxy of config.proxies) expect(proxy).toMatchObject(defaults);
});

test("weir.toml mentions every key there is", async () => {
  const text = await Bun.file(path("weir.toml")).text();
  const keys = Object.entries(fileSchema.entries).flatMap(([key, { wrapped }]) => {
    const fields = "item" in wrapped ? wrapped.item.entries : wrapped.entries;
    return [key, ...Object.keys(fields)];
  });
  expect(keys.length).toBeGreaterThan(12);
  for (const key of keys) expect(text).toMatch(new RegExp(`^\\[*${key}\\b`, "m"));
});

test("proxy.toml is read as basic-tcp-proxy reads it", async () => {
  const { admin, proxies } = await example("proxy.toml");
  expect(admin.listen && formatAddress(admin.listen)).toBe("127.0.0.1:9090");
  expect(proxies.map(route)).toEqual(["127.0.0.1:8080 -> example.com:80"]);
});

test("tcp-clone.toml is read as tcp-clone reads it", async () => {
  const { proxies } = await example("tcp-clone.toml");
  expect(proxies.map(route)).toEqual(["0.0.0.0:5200 -> 127.0.0.1:5201", "0.0.0.0:8080 -> example.com:80"]);
});

function path(name: string): string {
  return `${import.meta.dir}/../../examples/${name}`;
}

async function example(name: string): Promise<Config> {
  return loadConfig(await Bun.file(path(name)).text(), name);
}

function route({ listen, targets }: Config["proxies"][number]): string {
  return `${formatAddress(listen)} -> ${targets.map(formatAddress).join(", ")}`;
}
