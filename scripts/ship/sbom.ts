/**
 * The bill of materials, CycloneDX 1.5 in JSON: the packages that are in the executables and bundles, and the runtime that the
 * executables carry. Nothing of what only builds or tests weir.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { ROOT, type Source, VERSION } from "./stamp.ts";

interface Component {
  readonly type: "library" | "platform";
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly "bom-ref": string;
  readonly licenses: readonly License[];
  readonly hashes?: readonly { readonly alg: "SHA-512"; readonly content: string }[];
}

/** An identifier of SPDX, or several of them in an expression. */
type License = { readonly license: { readonly id: string } } | { readonly expression: string };

/** What the dashboard's page is made of lies in src/admin/dashboard/assets.ts as text, in which a bundler sees no package. */
const EMBEDDED = ["uplot"];

/** `packages`: by name, those that bundles contain. The same for the same commit. */
export function sbom(packages: Iterable<string>, { time }: Source): string {
  const lock = lockedPackages();
  const components = [...new Set([...packages, ...EMBEDDED])].sort().map((name) => component(name, lock));
  const runtime: Component = {
    type: "platform",
    name: "bun",
    version: Bun.version,
    purl: purlOf("bun", Bun.version),
    "bom-ref": purlOf("bun", Bun.version),
    licenses: [{ license: { id: "MIT" } }],
  };
  const weir = purlOf(manifest.name, VERSION);
  const parts = [...components, runtime];
  const content = {
    metadata: {
      timestamp: new Date(time * 1_000).toISOString(),
      component: {
        type: "application",
        name: manifest.name,
        version: VERSION,
        purl: weir,
        "bom-ref": weir,
        licenses: [{ license: { id: manifest.license } }],
      },
    },
    components: parts,
    dependencies: [{ ref: weir, dependsOn: parts.map((part) => part["bom-ref"]) }],
  };
  const head = {
    $schema: "http://cyclonedx.org/schema/bom-1.5.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(content))}`,
    version: 1,
  };
  return `${JSON.stringify({ ...head, ...content }, null, 2)}\n`;
}

/** What bun.lock says of each package: `name@version`, where from, what it needs, its hash. */
function lockedPackages(): Readonly<Record<string, readonly unknown[]>> {
  const text = readFileSync(join(ROOT, "bun.lock"), "utf8");
  return (Bun.JSONC.parse(text) as { packages: Record<string, readonly unknown[]> }).packages;
}

function component(name: string, lock: Readonly<Record<string, readonly unknown[]>>): Component {
  const entry = lock[name];
  const [id, , , integrity] = entry ?? [];
  if (typeof id !== "string") throw new Error(`Cannot describe ${name}: it is in a bundle, but not in bun.lock`);
  const version = id.slice(id.lastIndexOf("@") + 1);
  const { license } = JSON.parse(readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8"));
  const purl = purlOf(name, version);
  return {
    type: "library",
    name,
    version,
    purl,
    "bom-ref": purl,
    licenses: [/^[\w.-]+$/.test(license) ? { license: { id: license } } : { expression: String(license) }],
    ...(typeof integrity === "string" && { hashes: [{ alg: "SHA-512", content: hexOf(integrity) }] }),
  };
}

/** https://github.com/package-url/purl-spec: the @ of a scope is escaped. */
function purlOf(name: string, version: string): string {
  return `pkg:npm/${name.replace(/^@/, "%40")}@${version}`;
}

function hexOf(integrity: string): string {
  return Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex");
}

/** A UUID of version 8 (RFC 9562): of the content, so the same for the same. */
function uuidOf(text: string): string {
  const hex = new Bun.CryptoHasher("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
