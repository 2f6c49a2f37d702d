/** weir install-links: what it makes, what it leaves, what it refuses. */
import { describe, expect, test } from "bun:test";
import { installLinks } from "../../src/cli/commands/install-links.ts";
import type { Context } from "../../src/cli/context.ts";
import type { Entry, Folders } from "../../src/cli/host.ts";
import { OLD_NAMES } from "../../src/cli/old-names.ts";
import { fakeHost, type Outcome } from "./fake-host.ts";

type Place = Record<string, Entry>;

/** A folder, and who wants its links. */
async function install(
  place: Place,
  { program = ["/opt/weir/weir"] as [string, ...string[]], posix = true, flags = {}, folder = "/usr/bin" } = {},
): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const put = (path: string, entry: Entry) => {
    if (place[path]) throw Object.assign(new Error(`${path} is there`), { code: "EEXIST" });
    place[path] = entry;
  };
  const folders: Folders = {
    posix,
    absolute: async (path) => path,
    look: async (path) => place[path] ?? { kind: "none" },
    link: async (path, to) => put(path, { kind: "link", to }),
    script: async (path, text) => put(path, { kind: "file", text }),
    remove: async (path) => {
      delete place[path];
    },
  };
  const host = { ...fakeHost({}, [], out, err), program, folders };
  const code = await installLinks({ host, line: { positionals: [folder], flags } } as unknown as Context);
  return { code, out, err };
}

const SOURCE: [string, ...string[]] = ["/usr/bin/bun", "/home/o'neil/weir/src/main.ts"];

describe("of an executable", () => {
  test("links lead to it, and the second time they are left", async () => {
    const place: Place = {};
    const first = await install(place);
    expect(first.code).toBe(0);
    expect(first.out).toEqual(OLD_NAMES.map((name) => `/usr/bin/${name} -> /opt/weir/weir`));
    expect(place).toEqual(
      Object.fromEntries(OLD_NAMES.map((name) => [`/usr/bin/${name}`, { kind: "link", to: "/opt/weir/weir" }])),
    );
    const before = { ...place };
    const second = await install(place);
    expect(second.out).toEqual(OLD_NAMES.map((name) => `/usr/bin/${name} -> /opt/weir/weir, as it was`));
    expect(place).toEqual(before);
  });

  test("beside it they say no more than its name", async () => {
    const place: Place = {};
    await install(place, { folder: "/opt/weir", flags: { only: ["tcp-clone"] } });
    expect(place).toEqual({ "/opt/weir/tcp-clone": { kind: "link", to: "weir" } });
  });

  test.each<[Entry, string]>([
    [{ kind: "file", text: "#!/bin/sh\n" }, "is a file, not weir's; --force replaces it"],
    [{ kind: "link", to: "/opt/tcp-clone/bin" }, "is a link to /opt/tcp-clone/bin, not weir's; --force replaces it"],
    [{ kind: "other" }, "is a folder or a device, not weir's; take it away first"],
  ])("%p is not touched, and nothing is made", async (entry, what) => {
    const place: Place = { "/usr/bin/tcp-clone": entry };
    expect(await install(place)).toEqual({
      code: 1,
      out: [],
      err: [`weir install-links: /usr/bin/tcp-clone ${what}`, "weir install-links: nothing was made"],
    });
    expect(place).toEqual({ "/usr/bin/tcp-clone": entry });
  });

  test("--force replaces files and links, and nothing else", async () => {
    const place: Place = {
      "/usr/bin/tcp-clone": { kind: "file", text: "" },
      "/usr/bin/mproxy-client": { kind: "link", to: "nowhere" },
    };
    expect((await install(place, { flags: { force: true } })).code).toBe(0);
    expect(new Set(Object.values(place).map((entry) => entry.kind))).toEqual(new Set(["link"]));
    const folder: Place = { "/usr/bin/tcp-clone": { kind: "other" } };
    expect((await install(folder, { flags: { force: true } })).code).toBe(1);
  });
});

describe("of the source", () => {
  test("scripts say what runs it, quoted for the shell; those of another place are renewed", async () => {
    const place: Place = {};
    const flags = { only: ["tcp-clone"] };
    const { code, out } = await install(place, { program: SOURCE, flags });
    expect(code).toBe(0);
    expect(out).toEqual([
      "/usr/bin/tcp-clone -> /usr/bin/bun /home/o'neil/weir/src/main.ts as tcp-clone",
      "These are scripts: a link to the source would not say what runs it.",
    ]);
    const text = `#!/bin/sh
# Made by "weir install-links": weir under the name of tcp-clone.
exec '/usr/bin/bun' '/home/o'\\''neil/weir/src/main.ts' 'as' 'tcp-clone' "$@"
`;
    expect(place).toEqual({ "/usr/bin/tcp-clone": { kind: "file", text } });
    expect((await install(place, { program: SOURCE, flags })).out[0]).toEndWith(", as it was");
    const moved: [string, ...string[]] = ["/usr/bin/deno", "run", "--allow-all", "/srv/weir/src/main.ts"];
    const again = await install(place, { program: moved, flags });
    expect(again.out[1]).toContain("with all permissions");
    expect(place["/usr/bin/tcp-clone"]).toMatchObject({ text: expect.stringContaining("'/srv/weir/src/main.ts'") });
  });

  test("they are no links: an executable replaces them with such", async () => {
    const place: Place = {};
    const flags = { only: ["tcp-clone"] };
    await install(place, { program: SOURCE, flags });
    expect((await install(place, { flags })).code).toBe(0);
    expect(place["/usr/bin/tcp-clone"]).toEqual({ kind: "link", to: "/opt/weir/weir" });
  });
});

test("where programs are no plain names, batch files start it", async () => {
  const place: Place = {};
  await install(place, {
    program: ["C:\\100%\\weir.exe"],
    posix: false,
    flags: { only: ["tcp-clone"] },
    folder: "C:\\bin",
  });
  expect(place).toEqual({
    "C:\\bin/tcp-clone.cmd": {
      kind: "file",
      text: '@rem Made by "weir install-links": weir under the name of tcp-clone.\r\n@"C:\\100%%\\weir.exe" "as" "tcp-clone" %*\r\n',
    },
  });
});
