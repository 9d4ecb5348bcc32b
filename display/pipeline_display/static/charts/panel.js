/* A panel: one unit, one pair of axes, lines over time, a crosshair.
 *
 * In:  a host element, a title, and at each draw the scales' domains and a function that draws marks.
 * Out: an SVG that fills its host. Marks are bound by D3: `element.__data__` is the datum that a mark was drawn from.
 */

import { number, timeOfDay } from "../format.js";

const MARGIN = { top: 10, right: 52, bottom: 42, left: 58 };

export class Panel {
  /** `onCursor(ms | null)`, `onStep(±1)`: the pointer or the arrow keys moved the crosshair. */
  constructor(host, { title, height, onCursor, onStep }) {
    this.host = host;
    this.height = height;
    this.title = title;
    this.svg = d3.select(host).append("svg").attr("class", "panel").attr("tabindex", 0).attr("role", "img").attr("aria-label", title);
    this.grid = this.svg.append("g").attr("class", "grid");
    this.yAxis = this.svg.append("g").attr("class", "axis y");
    this.xAxis = this.svg.append("g").attr("class", "axis x");
    this.yTitle = this.svg.append("text").attr("class", "axis-title y");
    this.xTitle = this.svg.append("text").attr("class", "axis-title x");
    this.marks = this.svg.append("g").attr("class", "marks");
    this.labels = this.svg.append("g").attr("class", "labels");
    this.cursor = this.svg.append("g").attr("class", "cursor");
    this.x = d3.scaleTime();
    this.y = d3.scaleLinear();
    this.svg.on("pointermove", (event) => onCursor(+this.x.invert(d3.pointer(event)[0])));
    this.svg.on("pointerleave", () => onCursor(null));
    this.svg.on("keydown", (event) => this.#key(event, onCursor, onStep));
  }

  /** Lay out scales, axes and titles for `width`; the caller draws marks then. */
  layOut({ width, xDomain, yDomain, xTitle, yTitle, yFormat = number }) {
    const { height } = this;
    this.width = width;
    this.inner = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom };
    this.svg.attr("viewBox", `0 0 ${width} ${height}`).attr("width", width).attr("height", height);
    this.x.domain(xDomain).range([this.inner.left, this.inner.right]);
    this.y.domain(yDomain).range([this.inner.bottom, this.inner.top]);
    const ticks = this.y.ticks(Math.max(2, Math.floor(height / 48)));
    this.yAxis.attr("transform", `translate(${this.inner.left},0)`).call(d3.axisLeft(this.y).tickValues(ticks).tickFormat(yFormat).tickSize(0).tickPadding(8));
    this.xAxis.attr("transform", `translate(0,${this.inner.bottom})`).call(d3.axisBottom(this.x).ticks(Math.max(2, Math.floor(width / 130))).tickFormat(timeOfDay).tickSize(4).tickPadding(6));
    this.#drawGrid(ticks);
    this.yTitle.attr("transform", `translate(13,${(this.inner.top + this.inner.bottom) / 2}) rotate(-90)`).text(yTitle);
    this.xTitle.attr("x", (this.inner.left + this.inner.right) / 2).attr("y", height - 4).text(xTitle);
  }

  /** `lines`: [{name, className, points, value(point), at(point)}]; each path's datum is its line. */
  drawLines(lines) {
    const shape = (line) =>
      d3.line().defined((point) => line.value(point) !== null && line.value(point) !== undefined).x((point) => this.x(line.at(point))).y((point) => this.y(line.value(point)))(line.points);
    this.marks.selectAll("path.line").data(lines, (line) => line.name).join("path").attr("class", (line) => `line ${line.className}`).attr("data-name", (line) => line.name).attr("d", shape);
  }

  /** Names beside the ends of lines, moved apart where they would overlap. */
  drawLabels(labels) {
    const placed = labels.map((label) => ({ ...label, y: this.y(label.value) })).sort((a, b) => a.y - b.y);
    const step = 13;
    placed.forEach((label, i) => { if (i && label.y < placed[i - 1].y + step) label.y = placed[i - 1].y + step; });
    const over = placed.length ? placed.at(-1).y - this.inner.bottom : 0;
    if (over > 0) placed.forEach((label, i) => { label.y = Math.min(label.y, this.inner.bottom - (placed.length - 1 - i) * step); });
    this.labels.selectAll("text").data(placed, (label) => label.name).join("text").attr("class", (label) => `label ${label.className}`).attr("x", this.inner.right + 8).attr("y", (label) => label.y).attr("dy", "0.32em").text((label) => label.name);
  }

  /** A vertical line at `ms` with dots at `dots`: [{name, className, value}]; nothing for null. */
  drawCursor(ms, dots) {
    const isShown = ms !== null && this.x(ms) >= this.inner.left && this.x(ms) <= this.inner.right;
    this.cursor.selectAll("line").data(isShown ? [ms] : []).join("line").attr("x1", this.x).attr("x2", this.x).attr("y1", this.inner.top).attr("y2", this.inner.bottom);
    this.cursor.selectAll("circle").data(isShown ? dots : [], (dot) => dot.name).join("circle").attr("class", (dot) => dot.className).attr("r", 3.5).attr("cx", isShown ? this.x(ms) : 0).attr("cy", (dot) => this.y(dot.value));
  }

  #drawGrid(ticks) {
    this.grid.selectAll("line").data(ticks).join("line").attr("x1", this.inner.left).attr("x2", this.inner.right).attr("y1", this.y).attr("y2", this.y);
  }

  #key(event, onCursor, onStep) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
    if (event.key in steps) onStep(steps[event.key]);
    else if (event.key === "Escape") onCursor(null);
    else return;
    event.preventDefault();
  }
}

/** The domain from 0, or from the least value, to the greatest, rounded; never empty. */
export function niceDomain(values, { fromZero }) {
  const [low = 0, high = 1] = d3.extent(values);
  const bottom = fromZero ? Math.min(0, low) : low;
  const top = high > bottom ? high : bottom + 1;
  return d3.scaleLinear().domain([bottom, top]).nice(4).domain();
}
