/* Demo 2 in small: the histogram of the numbers that the server sends for it, ten a second of each producer. */

import { number } from "../format.js";
import { Bins } from "./bins.js";
import { HEIGHT, WIDTH } from "./sparkline.js";
import { Stream } from "./stream.js";

const SPAN_MS = 120_000;
const GAP = 1;

export class Thumbnail {
  constructor(svg) {
    this.svg = d3.select(svg);
    this.stream = new Stream({ keptMs: SPAN_MS });
    this.bins = new Bins();
  }

  take(rows) {
    this.stream.take(rows);
  }

  clear() {
    this.stream.clear();
    this.bins = new Bins();
  }

  newestMs() {
    this.stream.settle();
    return this.stream.length ? this.stream.timeMs(this.stream.end - 1) : null;
  }

  text() {
    const found = this.#found();
    return found ? `mean ${number(found.mean)} ± ${number(found.standard_deviation)}, sampled` : "";
  }

  /** `rect.bar` with datum {low, high, count}, `path.line` with datum {name: "mean", value}. */
  draw() {
    const found = this.#found();
    const bars = found ? Array.from(found.counts, (count, i) => ({ low: found.edges[i], high: found.edges[i + 1], count })) : [];
    const x = d3.scaleLinear([bars[0]?.low ?? 0, bars.at(-1)?.high ?? 1], [0, WIDTH]);
    const y = d3.scaleLinear([0, d3.max(bars, (bar) => bar.count) ?? 1], [HEIGHT, 4]);
    this.svg.selectAll("rect.bar").data(bars, (bar) => bar.low).join("rect").attr("class", "bar c2")
      .attr("x", (bar) => x(bar.low)).attr("width", (bar) => Math.max(0, x(bar.high) - x(bar.low) - GAP))
      .attr("y", (bar) => y(bar.count)).attr("height", (bar) => HEIGHT - y(bar.count));
    const means = found ? [{ name: "mean", value: found.mean }] : [];
    this.svg.selectAll("path.line").data(means).join("path").attr("class", "line c1").attr("data-name", (mean) => mean.name)
      .attr("d", (mean) => `M${Math.max(0, Math.min(WIDTH, x(mean.value)))},0V${HEIGHT}`).raise();
  }

  #found() {
    this.stream.settle();
    return this.bins.of(this.stream.value, this.stream.begin, this.stream.end);
  }
}
