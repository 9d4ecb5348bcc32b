/* Demo 2's chart: every number of the chosen span as a histogram with mean and standard deviation, and the newest one by one.
 *
 * In:  rows of the topic `random-numbers` (one event each), as they come; an event that comes again counts once.
 * Out: `rect.bar` with datum {low, high, count, share}: low <= value < high, null where a bar is open to that side;
 *      `path.line[data-name=mean]` and `path.band[data-name=standard_deviation]` with datum {name, value, points: [figures]},
 *      figures being {count, mean, standard_deviation, min, max, since_ns, newest_ns} of all numbers in the span;
 *      `path.line[data-name=value]` with datum {points: rows}: where more than two share a pixel's column, its extremes.
 */

import { count, number, timeWithMs, zoneText } from "../format.js";
import { Bins } from "./bins.js";
import { addChip, addFigure } from "./chips.js";
import { Cursor } from "./cursor.js";
import { extremes } from "./extremes.js";
import { Panel } from "./panel.js";
import { Steady } from "./steady.js";
import { ROWS_MAX, Stream } from "./stream.js";

export { Thumbnail } from "./numbers_thumbnail.js";

const NS_PER_MS = 1e6;
const SINGLE_SHARE = 1 / 12;
const BREAK_MS = 1_000;
const AHEAD_MS_MAX = 1_000;
const HEADROOM = 1.16;
const HISTOGRAM = [
  { name: "count", className: "c2", doc: "how many numbers a bin holds" },
  { name: "mean", className: "c1", doc: "of all numbers in the span" },
  { name: "standard_deviation", label: "± 1 standard deviation", className: "c0", doc: "of all numbers in the span, divided by their count" },
];

export class Chart {
  constructor(host, { page, redraw, now = () => Infinity }) {
    this.page = page;
    this.now = now;
    this.spanS = 120;
    this.stream = new Stream({ keptMs: page.history_s * 1000 });
    this.singles = [];
    this.bars = [];
    this.#forgetScales();
    const moved = () => redraw.request();
    this.binCursor = new Cursor({ rows: () => this.bars, at: middle, moved });
    this.timeCursor = new Cursor({ rows: () => this.singles, at, moved });
    this.histogram = this.#histogramPanel(host, moved);
    this.series = this.#seriesPanel(host);
  }

  /** Rows of one frame. */
  take(rows) {
    this.stream.take(rows);
  }

  clear() {
    this.stream.clear();
    this.#forgetScales();
  }

  /** When the newest event was made, in ms; null without one. */
  newestMs() {
    this.stream.settle();
    return this.stream.length ? this.stream.timeMs(this.stream.end - 1) : null;
  }

  /** When the event was made that is new in this row, in ms. */
  newsMs(row) {
    return at(row);
  }

  tableRows(limit) {
    this.stream.settle();
    const { begin, end } = this.stream;
    return d3.range(end - 1, Math.max(begin, end - limit) - 1, -1).map((i) => this.stream.row(i));
  }

  tableColumns() {
    return this.page.columns.filter((column) => column.name !== "event_id");
  }

  /** What the crosshair stands on, in words; empty without one. */
  readout() {
    const [bar, row] = [this.binCursor.row(), this.timeCursor.row()];
    if (bar) return `${between(bar)}: ${count(bar.count, "number")}, ${number(100 * bar.share)} %`;
    return row ? `${timeWithMs(at(row))}: ${number(row.value)}` : "";
  }

  /** What went wrong on the way, in words; the feed counts since the display's start. */
  troubles({ dead = 0, late = 0, gaps = 0 }) {
    const counted = `${count(dead, "dead letter")}, ${number(late)} late, ${count(gaps, "gap")}.`;
    return this.stream.isFull ? `${counted} So many numbers come that only the last ${number(ROWS_MAX)} are kept here.` : counted;
  }

  draw() {
    this.stream.settle();
    const { stream } = this;
    const newest = stream.length ? stream.timeMs(stream.end - 1) : Date.now();
    // A producer whose clock is ahead must not push all others out of the picture.
    const end = Math.min(newest, this.now() + AHEAD_MS_MAX);
    const stop = stream.firstAfter(end);
    this.#drawHistogram(stream.firstAfter(end - this.spanS * 1000), stop);
    this.#drawSeries([end - this.spanS * 1000 * SINGLE_SHARE, end], stop);
  }

  #forgetScales() {
    this.bins = new Bins();
    this.heights = new Steady();
    this.values = new Steady();
  }

  #histogramPanel(host, moved) {
    const { chips, plot } = addFigure(host, { title: "How often each value came", isWide: true });
    const made = HISTOGRAM.map((each) => addChip(chips, each, moved));
    const label = "Histogram of the values in the chosen span with their mean and standard deviation; left and right arrow read single bins";
    const panel = new Panel(plot, { label, height: 320, cursor: this.binCursor, x: d3.scaleLinear() });
    return { panel, chips: Object.fromEntries(made.map((each) => [each.name, each])) };
  }

  #seriesPanel(host) {
    const { chips, plot } = addFigure(host, { title: "The newest numbers one by one", isWide: true });
    const label = "Values over time; left and right arrow read single values, the table below has the newest";
    return { panel: new Panel(plot, { label, height: 220, cursor: this.timeCursor }), span: chips.append("span").attr("class", "chip-value") };
  }

  #drawHistogram(start, stop) {
    const found = this.bins.of(this.stream.value, start, stop);
    const { panel, chips } = this.histogram;
    this.bars = found ? barsOf(found) : [];
    const shown = chips.count.isOn() ? this.bars : [];
    const [low, high] = this.bars.length ? [left(this.bars[0]), right(this.bars.at(-1))] : [-1, 1];
    panel.layOut({
      xDomain: [low, high],
      yDomain: this.heights.of([0, HEADROOM * (d3.max(this.bars, (bar) => bar.count) ?? 1)]),
      xTitle: "value",
      yTitle: found ? `count (numbers in a bin of ${number(found.width)})` : "count (numbers)",
      xFormat: number,
    });
    const figures = found && this.#figuresOf(found, start, stop);
    drawBars(panel, shown, this.binCursor.row());
    drawMoments(panel, chips, figures);
    panel.drawCursor(this.binCursor.row() ? middle(this.binCursor.row()) : null, []);
    for (const { name, isOn, say } of Object.values(chips)) say(figures && isOn() ? number(figures[name]) : "");
  }

  #figuresOf({ count: size, mean, standard_deviation, min, max }, start, stop) {
    const { time_ns } = this.stream;
    return { count: size, mean, standard_deviation, min, max, since_ns: time_ns[start], newest_ns: time_ns[stop - 1] };
  }

  #drawSeries([start, end], stop) {
    const { panel, span } = this.series;
    this.singles = extremes(this.stream, { start, end, stop, columns: Math.max(1, panel.width) });
    const yDomain = this.values.of(d3.extent(this.singles, (row) => row.value));
    panel.layOut({ xDomain: [start, end], yDomain, xTitle: `local time (${zoneText()})`, yTitle: "value" });
    const isBreak = (a, b) => at(b) - at(a) > BREAK_MS;
    panel.drawLines([{ name: "value", className: "c0 single", points: this.singles, at, value: (row) => row.value, isBreak }]);
    const row = this.timeCursor.row();
    panel.drawCursor(row ? at(row) : null, row ? [{ name: "value", className: "c0", value: row.value }] : []);
    span.text(`the last ${number((end - start) / 1000)} s`);
  }
}

function at(row) {
  return row.time_ns / NS_PER_MS;
}

/** The bins, with one more at a side beyond which numbers lie; each is its bar's datum. */
function barsOf({ edges, counts, below, above, width, count: size }) {
  const bar = (low, high, many) => ({ low, high, count: many, share: many / size, width, key: low ?? "below" });
  const bars = Array.from(counts, (many, i) => bar(edges[i], edges[i + 1], many));
  if (below) bars.unshift(bar(null, edges[0], below));
  if (above) bars.push(bar(edges.at(-1), null, above));
  return bars;
}

function left(bar) {
  return bar.low ?? bar.high - bar.width;
}

function right(bar) {
  return bar.high ?? bar.low + bar.width;
}

function middle(bar) {
  return (left(bar) + right(bar)) / 2;
}

function between(bar) {
  if (bar.low === null) return `below ${number(bar.high)}`;
  return bar.high === null ? `from ${number(bar.low)} up` : `${number(bar.low)} to ${number(bar.high)}`;
}

function drawBars(panel, bars, chosen) {
  const wide = (bar) => panel.x(right(bar)) - panel.x(left(bar));
  const apart = bars.length && wide(bars[0]) > 4 ? 0.5 : 0;
  const openness = (bar) => (bar.low === null || bar.high === null ? " open" : "");
  panel.marks.selectAll("rect.bar").data(bars, (bar) => bar.key).join("rect")
    .attr("class", (bar) => `bar c2${openness(bar)}${bar === chosen ? " chosen" : ""}`)
    .attr("x", (bar) => panel.x(left(bar)) + apart).attr("width", (bar) => Math.max(0, wide(bar) - 2 * apart))
    .attr("y", (bar) => panel.y(bar.count)).attr("height", (bar) => panel.y(0) - panel.y(bar.count));
}

/** The mean as an upright line, the standard deviation as a band around it, each with its name at the top. */
function drawMoments(panel, chips, figures) {
  const shown = (name) => (figures && chips[name].isOn() ? [{ name, value: figures[name], points: [figures] }] : []);
  const { top, bottom, left: first, right: last } = panel.inner;
  const x = (value) => Math.max(first, Math.min(last, panel.x(value)));
  const sides = ({ points: [{ mean }], value }) => [x(mean - value), x(mean + value)];
  const [means, bands] = [shown("mean"), shown("standard_deviation")];
  panel.marks.selectAll("path.band").data(bands, (each) => each.name).join("path").attr("class", "band c0").attr("data-name", (each) => each.name)
    .attr("d", (each) => `M${sides(each)[0]},${top}H${sides(each)[1]}V${bottom}H${sides(each)[0]}Z`);
  panel.marks.selectAll("path.line").data(means, (each) => each.name).join("path").attr("class", "line c1").attr("data-name", (each) => each.name)
    .attr("d", (each) => `M${x(each.value)},${top}V${bottom}`).raise();
  const labels = [
    ...means.map((each) => ({ name: each.name, className: "c1", text: `mean ${number(each.value)}`, x: x(each.value), y: top + 8 })),
    ...bands.map((each) => ({ name: each.name, className: "c0", text: `± ${number(each.value)}`, x: sides(each)[1], y: top + 24 })),
  ];
  panel.labels.selectAll("text").data(labels, (each) => each.name).join("text").attr("class", (each) => `label ${each.className}`)
    .attr("x", (each) => each.x + (each.x > last - 90 ? -6 : 6)).attr("text-anchor", (each) => (each.x > last - 90 ? "end" : "start"))
    .attr("y", (each) => each.y).attr("dy", "0.32em").text((each) => each.text);
}
