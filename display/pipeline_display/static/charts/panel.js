/* A panel: one unit, one pair of axes, lines over time (or whatever scale `x` is), a crosshair.
 *
 * In:  a host element, a title, and at each draw the scales' domains and a function that draws marks.
 * Out: an SVG that fills its host. Marks are bound by D3: `element.__data__` is the datum that a mark was drawn from.
 */

import { number, timeOfDay } from "../format.js";

const MARGIN = { top: 10, right: 58, bottom: 42, left: 66 };
const TITLE_WIDTH = 27;
const DIGIT_WIDTH = 6.4; // of the axes' 11.5 px

export class Panel {
  /** `label`: what a screen reader says of it; `cursor`: the crosshair shared with other panels. */
  constructor(host, { label, height, cursor, x = d3.scaleTime() }) {
    this.height = height;
    this.width = host.clientWidth;
    // To ask for the width at each draw would make the browser lay the page out once for each panel.
    new ResizeObserver(([entry]) => { this.width = Math.floor(entry.contentRect.width); }).observe(host);
    this.svg = d3.select(host).append("svg").attr("class", "panel").attr("tabindex", 0).attr("role", "img").attr("aria-label", label);
    this.grid = this.svg.append("g").attr("class", "grid");
    this.yAxis = this.svg.append("g").attr("class", "axis y");
    this.xAxis = this.svg.append("g").attr("class", "axis x");
    this.yTitle = this.svg.append("text").attr("class", "axis-title y");
    this.xTitle = this.svg.append("text").attr("class", "axis-title x");
    this.marks = this.svg.append("g").attr("class", "marks");
    this.labels = this.svg.append("g").attr("class", "labels");
    this.hair = this.svg.append("g").attr("class", "cursor");
    this.x = x;
    this.y = d3.scaleLinear();
    this.svg.on("pointermove", (event) => cursor.onCursor(+this.x.invert(d3.pointer(event)[0])));
    this.svg.on("pointerleave", () => cursor.onCursor(null));
    this.svg.on("keydown", (event) => onKey(event, cursor));
  }

  /** Lay out scales, axes and titles; the caller draws marks then. */
  layOut({ xDomain, yDomain, xTitle, yTitle, xFormat = timeOfDay, yFormat = number }) {
    const { width, height } = this;
    this.y.domain(yDomain);
    const ticks = this.y.ticks(Math.max(2, Math.floor(height / 48)));
    const left = Math.max(MARGIN.left, TITLE_WIDTH + DIGIT_WIDTH * d3.max(ticks, (tick) => yFormat(tick).length));
    this.inner = { left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom };
    this.svg.attr("viewBox", `0 0 ${width} ${height}`).attr("width", width).attr("height", height);
    this.x.domain(xDomain).range([this.inner.left, this.inner.right]);
    this.y.range([this.inner.bottom, this.inner.top]);
    this.yAxis.attr("transform", `translate(${this.inner.left},0)`).call(d3.axisLeft(this.y).tickValues(ticks).tickFormat(yFormat).tickSize(0).tickPadding(8));
    this.xAxis.attr("transform", `translate(0,${this.inner.bottom})`).call(d3.axisBottom(this.x).ticks(Math.max(2, Math.floor(width / 130))).tickFormat(xFormat).tickSize(4).tickPadding(6));
    this.#drawGrid(ticks);
    this.yTitle.attr("transform", `translate(13,${(this.inner.top + this.inner.bottom) / 2}) rotate(-90)`).text(yTitle);
    this.xTitle.attr("x", (this.inner.left + this.inner.right) / 2).attr("y", height - 4).text(xTitle);
  }

  /** `lines`: [{name, className, points, value(point), at(point), isBreak?(before, point)}]; each is its path's datum. */
  drawLines(lines) {
    const has = (line) => (point) => line.value(point) !== null && line.value(point) !== undefined;
    const shape = (line) => d3.line().defined(has(line)).x((point) => this.x(line.at(point))).y((point) => this.y(line.value(point)));
    this.#drawPaths("line", lines, shape);
  }

  /** `bands`: as lines, with `low(point)` and `high(point)` in place of `value`. */
  drawBands(bands) {
    const has = (band) => (point) => band.low(point) !== null;
    const shape = (band) => d3.area().defined(has(band)).x((point) => this.x(band.at(point))).y0((point) => this.y(band.low(point))).y1((point) => this.y(band.high(point)));
    this.#drawPaths("band", bands, shape);
  }

  /** Bars on the ground or on each other, behind lines: [{key, className, from, to, low, high, row}]; each is its bar's datum. */
  drawBars(bars) {
    const apart = bars.length && this.x(bars[0].to) - this.x(bars[0].from) > 4 ? 0.5 : 0;
    const left = (bar) => Math.max(this.inner.left, this.x(bar.from) + apart);
    this.marks.selectAll("rect.bar").data(bars, (bar) => bar.key).join((enter) => enter.insert("rect", "path")).attr("class", (bar) => `bar ${bar.className}`)
      .attr("x", left).attr("width", (bar) => Math.max(0, this.x(bar.to) - apart - left(bar)))
      .attr("y", (bar) => this.y(bar.high)).attr("height", (bar) => Math.max(0, this.y(bar.low) - this.y(bar.high)));
  }

  /** Single points: [{name, className, ms, value}]; each is its dot's datum. */
  drawDots(dots) {
    this.marks.selectAll("circle.point").data(dots, (dot) => dot.name).join("circle").attr("class", (dot) => `point ${dot.className}`).attr("r", 4).attr("cx", (dot) => this.x(dot.ms)).attr("cy", (dot) => this.y(dot.value));
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
    this.hair.selectAll("line").data(isShown ? [ms] : []).join("line").attr("x1", this.x).attr("x2", this.x).attr("y1", this.inner.top).attr("y2", this.inner.bottom);
    this.hair.selectAll("circle").data(isShown ? dots : [], (dot) => dot.name).join("circle").attr("class", (dot) => dot.className).attr("r", 3.5).attr("cx", isShown ? this.x(ms) : 0).attr("cy", (dot) => this.y(dot.value));
  }

  #drawPaths(kind, items, shape) {
    const drawn = (item) => runsOf(item.points, item.isBreak).map(shape(item)).join("");
    this.marks.selectAll(`path.${kind}`).data(items, (item) => item.name).join("path").attr("class", (item) => `${kind} ${item.className}`).attr("data-name", (item) => item.name).attr("d", drawn);
  }

  #drawGrid(ticks) {
    this.grid.selectAll("line").data(ticks).join("line").attr("x1", this.inner.left).attr("x2", this.inner.right).attr("y1", this.y).attr("y2", this.y);
  }
}

function onKey(event, { onCursor, onStep }) {
  const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
  if (event.key in steps) onStep(steps[event.key]);
  else if (event.key === "Escape") onCursor(null);
  else return;
  event.preventDefault();
}

/** Points in runs; a new one begins where `isBreak` says so of two neighbours. */
function runsOf(points, isBreak = () => false) {
  const runs = points.length ? [[points[0]]] : [];
  for (const [before, point] of d3.pairs(points)) {
    if (isBreak(before, point)) runs.push([point]);
    else runs.at(-1).push(point);
  }
  return runs;
}

/** The domain of `values`, rounded; never empty. */
export function niceDomain(values) {
  const [low = 0, high = 1] = d3.extent(values);
  return d3.scaleLinear().domain([low, high > low ? high : low + 1]).nice(4).domain();
}
