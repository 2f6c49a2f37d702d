/** Lines in a coordinate system, as SVG. */

export interface Plot {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly x: { readonly ticks?: readonly number[]; readonly write: (value: number) => string };
  readonly y: (value: number) => string;
}

interface Line {
  /** Empty: it needs none. */
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

const WIDTH = 480;
const HEIGHT = 240;
const LEFT = 60;
const RIGHT = 14;
const TOP = 22;
const BOTTOM = 26;
const COLOURS = ["#2f81f7", "#d9730d"];

/** Both axes begin at 0. */
export function svgPlot({ title, lines, x, y }: Plot): string {
  const points = lines.flatMap((line) => line.points);
  const [right, top] = [0, 1].map((axis) => Math.max(...points.map((point) => point[axis as 0 | 1]))) as [
    number,
    number,
  ];
  const rows = ticks(top);
  const highest = rows.at(-1) ?? 1;
  const across = (value: number) => round(LEFT + ((WIDTH - LEFT - RIGHT) * value) / (right || 1));
  const up = (value: number) => round(HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * value) / highest);
  const columns = (x.ticks ?? ticks(right).filter(Number.isInteger)).filter((value) => value <= right);
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">`,
    ...rows.map((value) => {
      const rule = `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${up(value)}" y2="${up(value)}" stroke="currentColor" stroke-opacity=".15"/>`;
      return `${rule}<text x="${LEFT - 8}" y="${up(value) + 4}" text-anchor="end">${y(value)}</text>`;
    }),
    ...columns.map(
      (value) => `<text x="${across(value)}" y="${HEIGHT - 8}" text-anchor="middle">${x.write(value)}</text>`,
    ),
    ...lines.map((line, index) => {
      const colour = COLOURS[index % COLOURS.length];
      const path = line.points.map(([a, b]) => `${across(a)},${up(b)}`).join(" ");
      const drawn = `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2" stroke-linejoin="round"/>`;
      // A single point is no line.
      const dots =
        line.points.length > 1
          ? ""
          : line.points.map(([a, b]) => `<circle cx="${across(a)}" cy="${up(b)}" r="3" fill="${colour}"/>`);
      const mark = `<rect x="${LEFT + 90 * index}" y="4" width="10" height="10" fill="${colour}"/>`;
      const legend = `${mark}<text x="${LEFT + 90 * index + 16}" y="13">${line.name}</text>`;
      return drawn + dots + (line.name === "" ? "" : legend);
    }),
    "</svg>",
  ].join("");
}

/** From 0 to what is not below `top`, four to eight steps of 1, 2 or 5 times a power of ten. */
export function ticks(top: number): number[] {
  if (!(top > 0)) return [0, 1];
  const power = 10 ** Math.floor(Math.log10(top / 4));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => top / each <= 6) ?? 10 * power;
  return Array.from({ length: Math.ceil(top / step - 1e-9) + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

function round(value: number): number {
  return Number(value.toFixed(1));
}
