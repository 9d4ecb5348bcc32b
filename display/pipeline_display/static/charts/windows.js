/* Demos 5 and 6: the windows of a stream of numbers: mean with its spread, counts, quantiles.
 *
 * In:  rows of the table `random_numbers_windows`; a row replaces the one with the same `window_start_ns`.
 * Out: `path.line[data-name]` and `path.band` with datum {points: rows}, `rect.bar` and `circle.point` with datum {row}.
 *      The newest window is still being filled: its marks are of class `open` and named `…-open`, drawn dashed or hollow.
 */

import { count, number, timeOfDay, zoneText } from "../format.js";
import { addChip, addFigure } from "./chips.js";
import { Cursor } from "./cursor.js";
import { Panel, niceDomain } from "./panel.js";

const NS_PER_MS = 1e6;
const PANELS = [
  {
    title: "Mean of each second", axis: "value", isWide: true, height: 300, kind: "spread",
    series: [
      { name: "mean", className: "c0" },
      { name: "standard_deviation", label: "± 1 standard deviation", className: "c0 soft" },
      { name: "min", className: "c4" },
      { name: "max", className: "c4" },
    ],
  },
  { title: "Quantiles", axis: "value", height: 210, kind: "lines", series: [{ name: "p50", className: "c0" }, { name: "p90", className: "c2" }, { name: "p99", className: "c1" }] },
  { title: "Counts", axis: "count (events)", height: 210, kind: "counts", series: [{ name: "count", className: "c2" }, { name: "late", className: "c1" }] },
];

export class Chart {
  constructor(host, { page, redraw }) {
    this.page = page;
    this.redraw = redraw;
    this.spanS = 120;
    this.windows = new Map();
    this.sorted = null;
    this.newsSoFarMs = -Infinity;
    this.columns = new Map(page.columns.map((column) => [column.name, column]));
    this.cursor = new Cursor({ rows: () => this.#rows(), at, moved: () => redraw.request() });
    this.panels = PANELS.map((each) => this.#panel(host, each));
  }

  /** Rows that are new or changed. */
  take(rows) {
    for (const row of rows) this.windows.set(row.window_start_ns, row);
    const newest = d3.max(this.windows.keys());
    for (const start of this.windows.keys()) if (start < newest - this.page.history_s * 1e9) this.windows.delete(start);
    this.sorted = null;
  }

  clear() {
    this.windows.clear();
    this.sorted = null;
  }

  /** When the newest event of the newest window was made, in ms; null without one. */
  newestMs() {
    return d3.max(this.#rows().slice(-3), newestEventMs) ?? null;
  }

  /** When the event was made that is new in this row, in ms; null where an old window was only written again. */
  newsMs(row) {
    const madeMs = newestEventMs(row);
    if (madeMs === null || madeMs <= this.newsSoFarMs) return null;
    this.newsSoFarMs = madeMs;
    return madeMs;
  }

  tableRows(limit) {
    return this.#rows().slice(-limit).reverse();
  }

  tableColumns() {
    return this.page.columns.filter((column) => column.name !== "window_end_ns");
  }

  readout() {
    const row = this.cursor.row();
    return row ? `${timeOfDay(row.window_start_ns / NS_PER_MS)} – ${timeOfDay(row.window_end_ns / NS_PER_MS)}` : "";
  }

  /** What went wrong on the way, in words: late numbers, of all windows that are known here. */
  troubles() {
    return `${count(d3.sum(this.#rows(), (row) => row.late), "late number")} in the last ${number(this.page.history_s / 60)} minutes.`;
  }

  draw() {
    const rows = this.#rows();
    const end = rows.length ? rows.at(-1).window_end_ns / NS_PER_MS : Date.now();
    const start = end - this.spanS * 1000;
    const shown = rows.slice(Math.max(0, d3.bisector(at).left(rows, start) - 1));
    for (const panel of this.panels) this.#drawPanel(panel, shown, [start, end]);
  }

  #rows() {
    this.sorted ??= [...this.windows.values()].sort((a, b) => a.window_start_ns - b.window_start_ns);
    return this.sorted;
  }

  #panel(host, { title, axis, isWide, height, series, kind }) {
    const { chips, plot } = addFigure(host, { title, isWide });
    const made = series.map((each) => addChip(chips, { ...each, doc: this.columns.get(each.name).doc }, () => this.redraw.request()));
    const label = `${title} over time, ${axis}; left and right arrow read single values, the table below has them all`;
    return { panel: new Panel(plot, { label, height, cursor: this.cursor }), series: made, axis, kind };
  }

  #drawPanel({ panel, series, axis, kind }, rows, xDomain) {
    const shown = series.filter((each) => each.isOn());
    const yDomain = niceDomain(kind === "counts" ? [0, ...rows.map((row) => row.count + row.late)] : valuesOf(shown, rows));
    panel.layOut({ xDomain, yDomain, xTitle: `local time (${zoneText()})`, yTitle: axis });
    const lines = kind === "counts" ? [] : shown.filter((each) => each.name !== "standard_deviation");
    if (kind === "counts") panel.drawBars(rows.flatMap((row) => barsOf(row, shown, row === rows.at(-1))));
    if (kind === "spread") panel.drawBands(shown.some((each) => each.name === "standard_deviation") ? parts("band", "c0", rows, spread) : []);
    panel.drawLines(lines.flatMap(({ name, className }) => parts(name, className, rows, { value: (row) => row[name] })));
    const newest = rows.at(-1);
    const values = (row) => (row ? lines.filter(({ name }) => row[name] !== null).map(({ name, className }) => ({ name, className, value: row[name] })) : []);
    panel.drawDots(values(newest).filter(({ name }) => name === "mean" || kind === "lines").map((each) => ({ ...each, className: `${each.className} open`, ms: at(newest), row: newest })));
    panel.drawLabels(values(newest));
    const row = this.cursor.row();
    panel.drawCursor(row ? at(row) : null, values(row));
    for (const each of series) each.say((row ?? newest) && each.isOn() ? told(each.name, row, rows) : "");
  }
}

const spread = { low: (row) => (row.mean === null ? null : row.mean - row.standard_deviation), high: (row) => row.mean + row.standard_deviation };

/** The middle of a window, in ms: where its figures are drawn. */
function at(row) {
  return (row.window_start_ns + row.window_end_ns) / 2 / NS_PER_MS;
}

/** Null for a window of late events only. */
function newestEventMs(row) {
  return row.newest_event_ns === null ? null : row.newest_event_ns / NS_PER_MS;
}

/** A line or band in two parts: the windows that are complete, and the way to the one that is not. */
function parts(name, className, rows, of) {
  const shared = { at, isBreak: (a, b) => a.window_end_ns !== b.window_start_ns, ...of };
  return [
    { name, className, points: rows.slice(0, -1), ...shared },
    { name: `${name}-open`, className: `${className} open`, points: rows.slice(-2), ...shared },
  ];
}

/** A series' value under the crosshair, else the newest; of the late ones all that are in view. */
function told(name, row, rows) {
  if (name === "late" && !row) return `${number(d3.sum(rows, (each) => each.late))} in view`;
  return number((row ?? rows.at(-1))[name]);
}

function valuesOf(shown, rows) {
  const of = (name, row) => (name === "standard_deviation" ? [spread.low(row), spread.high(row)] : [row[name]]);
  return rows.filter((row) => row.mean !== null).flatMap((row) => shown.flatMap(({ name }) => of(name, row)));
}

/** The window's bars: late ones on top of the others. */
function barsOf(row, shown, isOpen) {
  const [from, to] = [row.window_start_ns / NS_PER_MS, row.window_end_ns / NS_PER_MS];
  let low = 0;
  return shown.map(({ name, className }) => {
    const bar = { key: `${name} ${row.window_start_ns}`, className: `${className}${isOpen ? " open" : ""}`, from, to, low, high: low + row[name], row, name };
    low = bar.high;
    return bar;
  });
}
