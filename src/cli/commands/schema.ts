/** `weir schema [FILES]`: the JSON Schema of files, made from what reads them. */

import { jsonSchema } from "../../config/json-schema.ts";
import { basicTcpProxyFormat, tcpCloneFormat } from "../../config/legacy.ts";
import { weirFormat } from "../../config/schema.ts";
import type { Json } from "../../config/written.ts";
import { scenarioSchema } from "../../load/scenario-file.ts";
import type { FORMATS } from "../command.ts";
import type { CommandRun } from "../context.ts";

type FileFormat = (typeof FORMATS)[number];

const SCHEMAS: Readonly<Record<FileFormat, () => Json>> = {
  weir: () => jsonSchema(weirFormat.schema, "Configuration of weir"),
  scenarios: () => jsonSchema(scenarioSchema, "Scenarios of weir load"),
  "tcp-clone": () => jsonSchema(tcpCloneFormat.schema, "Configuration of tcp-clone"),
  "basic-tcp-proxy": () => jsonSchema(basicTcpProxyFormat.schema, "Configuration of basic-tcp-proxy"),
};

export const schema: CommandRun = async ({ host, line }) => {
  const [format = "weir"] = line.positionals as readonly FileFormat[];
  host.out(JSON.stringify(fileJsonSchema(format), undefined, 2));
  await host.printed();
  return 0;
};

/** The schema of a whole file. */
export function fileJsonSchema(format: FileFormat): Json {
  return SCHEMAS[format]();
}
