/* Demos 5 and 6: the windows of a stream of numbers: mean with its spread, counts, quantiles.
 *
 * In:  rows of the table `random_numbers_windows`; a row replaces the one with the same `window_start_ns`.
 * Out: `path.line[data-name]` and `path.band` with datum {points: rows}, `rect.bar` and `circle.point` with datum {row}.
 *      The newest window is still being filled: its marks are of class `open` and named `…-open`, drawn dashed or hollow.
 */

import { count, number, zoneText } from "../format.js";
import { addChip, addFigure } from "./chips.js";
import { Cursor } from "./cursor.js";
import { Panel, niceDomain } from "./panel.js";
import { News, at, bounds, boundsInWords, inView, newestEventMs, parts, spreadOf } from "./window_rows.js";
import { Sparkline } from "./sparkline.js";

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
    this.news = new News();
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
    return newestEventMs(this.#rows());
  }

  /** When the event was made that is new in this row, in ms; null where an old window was only written again. */
  newsMs(row) {
    return this.news.ms(row);
  }

  tableRows(limit) {
    return this.#rows().slice(-limit).reverse();
  }

  tableColumns() {
    return this.page.columns.filter((column) => !["window_end_ns", "ids"].includes(column.name));
  }

  readout() {
    const row = this.cursor.row();
    return row ? boundsInWords(row) : "";
  }

  /** What went wrong on the way, in words: late numbers, of all windows that are known here. */
  troubles() {
    return `${count(d3.sum(this.#rows(), (row) => row.late), "late number")} in the last ${number(this.page.history_s / 60)} minutes.`;
  }

  draw() {
    const { shown, xDomain } = inView(this.#rows(), this.spanS);
    for (const panel of this.panels) this.#drawPanel(panel, shown, xDomain);
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
    const ways = { firstOpen: rows.length - 1, isBreak: (a, b) => a.window_end_ns !== b.window_start_ns };
    const lines = kind === "counts" ? [] : shown.filter((each) => each.name !== "standard_deviation");
    if (kind === "counts") panel.drawBars(rows.flatMap((row) => barsOf(row, shown, row === rows.at(-1))));
    if (kind === "spread") panel.drawBands(shown.some((each) => each.name === "standard_deviation") ? parts("band", "c0", rows, { ...ways, ...spread }) : []);
    panel.drawLines(lines.flatMap(({ name, className }) => parts(name, className, rows, { ...ways, value: (row) => row[name] })));
    const newest = rows.at(-1);
    const values = (row) => (row ? lines.filter(({ name }) => row[name] !== null).map(({ name, className }) => ({ name, className, value: row[name] })) : []);
    panel.drawDots(values(newest).filter(({ name }) => name === "mean" || kind === "lines").map((each) => ({ ...each, className: `${each.className} open`, ms: at(newest), row: newest })));
    panel.drawLabels(values(newest));
    const row = this.cursor.row();
    panel.drawCursor(row ? at(row) : null, values(row));
    for (const each of series) each.say((row ?? newest) && each.isOn() ? told(each.name, row, rows) : "");
  }
}

const spread = spreadOf("mean", "standard_deviation");

/** On the index: the mean of each second with its standard deviation. */
export class Thumbnail extends Sparkline {
  constructor(svg) {
    const series = [{ name: "standard_deviation", className: "c0", ...spread }, { name: "mean", className: "c0", value: (row) => row.mean }];
    const told = (row) => `mean ${number(row.mean)} ± ${number(row.standard_deviation)}`;
    super(svg, { key: (row) => row.window_start_ns, at, series, told });
  }
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
  let low = 0;
  return shown.map(({ name, className }) => {
    const bar = { key: `${name} ${row.window_start_ns}`, className: `${className}${isOpen ? " open" : ""}`, ...bounds(row), low, high: low + row[name], row, name };
    low = bar.high;
    return bar;
  });
}
