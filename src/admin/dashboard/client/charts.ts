/** Lines over time. They say nothing that is not written next to them: a screen reader passes them by. */
import uPlot from "uplot";
import { make } from "./dom.ts";
import { byteRate } from "./format.ts";
import type { Course } from "./rates.ts";

/** Seconds that a chart reaches back at least. */
const WINDOW = 30;

/** A line without axes, in the colour of its element. */
export class Spark {
  readonly element: HTMLElement;
  readonly #plot: uPlot;

  constructor(tone: "up" | "down" = "up", width = 112, height = 26) {
    this.element = make("div", { class: `spark ${tone}`, attributes: { "aria-hidden": "true" } });
    const stroke = () => getComputedStyle(this.element).color;
    const series = [{}, { stroke, width: 1.5, points: { show: false } }];
    this.#plot = new uPlot(
      { ...PLAIN, width, height, series, axes: [{ show: false }, { show: false }] },
      NOTHING,
      this.element,
    );
  }

  update(at: readonly number[], values: readonly number[]): void {
    const room = this.element.clientWidth;
    if (room > 0 && room !== this.#plot.width) this.#plot.setSize({ width: room, height: this.#plot.height });
    this.#plot.setData([secondsAgo(at), [...values]]);
  }
}

/** Both directions over time, with axes. */
export class Throughput {
  readonly element = make("div", { attributes: { "aria-hidden": "true" } });
  readonly #plot: uPlot;

  constructor() {
    const colour = (name: string) => () => getComputedStyle(this.element).getPropertyValue(name).trim();
    const axis = { stroke: colour("--faint"), grid: { stroke: colour("--rule"), width: 1 }, ticks: { show: false } };
    const line = { width: 2, points: { show: false } };
    this.#plot = new uPlot(
      {
        ...PLAIN,
        width: 600,
        height: 160,
        padding: [8, 20, 0, 0],
        series: [{}, { ...line, stroke: colour("--up") }, { ...line, stroke: colour("--down"), dash: [6, 4] }],
        axes: [
          { ...axis, size: 28, values: (_, splits) => splits.map((at) => (at === 0 ? "now" : `${at} s`)) },
          { ...axis, size: 80, values: (_, splits) => splits.map(byteRate) },
        ],
      },
      [[], [], []],
      this.element,
    );
  }

  update({ at, up, down }: Course): void {
    const width = this.element.clientWidth;
    if (width > 0 && width !== this.#plot.width) this.#plot.setSize({ width, height: this.#plot.height });
    this.#plot.setData([secondsAgo(at), [...up], [...down]]);
  }
}

const NOTHING: uPlot.AlignedData = [[], []];

const PLAIN = {
  cursor: { show: false },
  legend: { show: false },
  scales: {
    x: { time: false, range: (_: uPlot, first: number): [number, number] => [Math.min(first ?? 0, -WINDOW), 0] },
    y: { range: (_: uPlot, __: number, most: number): [number, number] => [0, most > 0 ? most * 1.1 : 1] },
  },
} as const;

function secondsAgo(at: readonly number[]): number[] {
  const now = at.at(-1) ?? 0;
  return at.map((each) => (each - now) / 1_000);
}
