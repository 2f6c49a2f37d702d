/**
 * How values that are texts are written, for JSON Schema: all that is right fits, and most of what is wrong does not.
 * What a pattern cannot say stays with the parser of the value.
 */

/** A part of a JSON Schema. */
export type Json = Readonly<Record<string, unknown>>;

const NUMBER = "[0-9]+(\\.[0-9]+)?";
const PORT = "[0-9]{1,5}";
/** A host, or none, and a port; or a port alone. */
const HOST_PORT = `((\\[[^\\]]+\\]|[^\\s:/\\[\\]]*):)?${PORT}`;
const UNIX = "unix:.*[^/]";
const FILE = "[fF][iI][lL][eE]:.*[^/]";

const PORT_NUMBER = { minimum: 0, maximum: 65_535 };

const ADDRESS = whole(`([tT][cC][pP]://)?${HOST_PORT}`, UNIX);
const DURATION = `${NUMBER}(ms|s|m|h|d)`;
const ZERO = "0+(\\.0+)?";
const SIZE = `${NUMBER}(B|KB|MB|GB|KiB|MiB|GiB)?`;

export const ADDRESS_TEXT = orNumber(ADDRESS, PORT_NUMBER);
export const ADDRESS_OR_OFF = orNumber(whole(`([tT][cC][pP]://)?${HOST_PORT}`, UNIX, "off"), PORT_NUMBER);
/** What a proxy listens on. */
export const PROXY_ADDRESS = orNumber(
  whole(`([tT][cC][pP]://|[tT][lL][sS]://|[uU][dD][pP]://)?${HOST_PORT}`, UNIX),
  PORT_NUMBER,
);
/** The same, or a name of DNS. */
export const TARGET = orNumber(
  whole(
    `([tT][cC][pP]://|[tT][lL][sS]://|[uU][dD][pP]://|[dD][nN][sS]://)?${HOST_PORT}`,
    "[dD][nN][sS]\\+[sS][rR][vV]://_[^\\s:/]+",
    UNIX,
  ),
  PORT_NUMBER,
);
export const OBSERVER = orNumber(whole(`([tT][cC][pP]://|[uU][dD][pP]://)?${HOST_PORT}`, UNIX, FILE), PORT_NUMBER);
/** An end of a bridge of datagrams. */
export const ROUTE = orNumber(
  whole(
    `([a-zA-Z]+://)?([^\\s/@]+@)?${HOST_PORT}(%[^\\s/]+)?`,
    `([lL][iI][sS][tT][eE][nN]://)?${UNIX}`,
    FILE,
    "[fF][dD]:[0-9]+",
    "-",
  ),
  PORT_NUMBER,
);
export const ENDPOINT = orNumber(whole(`([tT][cC][pP]://)?${HOST_PORT}`), PORT_NUMBER);
export const IP = whole("[0-9a-fA-F:.]+(%[^\\s/]+)?", "\\[[0-9a-fA-F:.]+(%[^\\s/]+)?\\]");
export const CIDR = whole("\\s*[0-9a-fA-F:.]+(%[^/]*)?(/[0-9]{1,3})?\\s*");
export const RATE = whole(`${NUMBER}/(s|m|h)`);
export const DURATION_TEXT = orNumber(whole(DURATION, ZERO), { minimum: 0, maximum: 0 });
export const PERIOD = whole(DURATION);
export const DURATION_OR_OFF = orNumber(whole(DURATION, ZERO, "off"), { minimum: 0, maximum: 0 });
/** With a unit, or in milliseconds. */
export const MILLISECONDS = orNumber(whole(`${NUMBER}(ms|s|m|h|d)?`), { minimum: 0 });
export const SIZE_TEXT = orNumber(whole(SIZE), { minimum: 0 });
export const SIZE_OR_OFF = orNumber(whole(SIZE, "off"), { minimum: 0 });
export const BYTE_RATE = whole(`${SIZE}/s`);
export const WORKERS = orNumber(whole("auto", "[0-9]+"), { minimum: 1, maximum: 256 });
export const HEX = orNumber(whole("( *[0-9a-fA-F] *[0-9a-fA-F])* *"), { minimum: 0 });
/** Nothing more can be said of it: numbers may be meant as well. */
export const ANY_TEXT: Json = { type: ["string", "number"] };
/** Nothing more can be said of it, but that no number can be meant. */
export const SOME_TEXT: Json = { type: "string", minLength: 1 };

function whole(...forms: readonly string[]): Json {
  return { type: "string", pattern: `^(${forms.join("|")})$` };
}

/** TOML has numbers without quotes, too. */
function orNumber(text: Json, range: Json): Json {
  return { ...text, type: ["string", "integer"], ...range };
}
