import { expect, test } from "bun:test";
import { Resolver } from "../../adapters/linux/resolver.ts";

test("one question serves all who ask, an answer holds for five seconds, a failure for none", async () => {
  let now = 0;
  const asked: string[] = [];
  const resolver = new Resolver(
    async (host) => {
      asked.push(host);
      if (host === "bad") throw { code: "ENOTFOUND" };
      return ["10.0.0.1", "::1"];
    },
    () => now,
  );
  expect(resolver.known("10.1.2.3")).toEqual(["10.1.2.3"]);
  expect(resolver.known("name")).toBeUndefined();
  const answers = await Promise.all([resolver.resolve("name"), resolver.resolve("name")]);
  expect(answers).toEqual([
    ["10.0.0.1", "::1"],
    ["10.0.0.1", "::1"],
  ]);
  expect(resolver.known("name")).toEqual(["10.0.0.1", "::1"]);
  now = 5_000;
  expect(resolver.known("name")).toBeUndefined();
  for (let n = 0; n < 2; n++) await expect(resolver.resolve("bad")).rejects.toEqual({ code: "ENOTFOUND" });
  expect(asked).toEqual(["name", "bad", "bad"]);
});
