/* Demos 7 and 8: processor time and memory of one host, in windows of 5 s that begin every second, and in those that tumble.
 *
 * In:  rows of the table `monitoring_windows`; a row replaces the one with the same `window_start_ns` and `host`.
 * Out: `path.line[data-name]` and `path.band` with datum {name, by, points: rows}; `rect.bar` with {name, row} for each window that
 *      tumbles, as wide as it. Rows are in the table's own units: what is drawn is the value divided by `by`.
 *      Windows that end after the newest event still fill: their marks are of class `open` and named `…-open`, drawn dashed.
 */

import { count, number, scaleOf, zoneText } from "../format.js";
import { addChip, addFigure } from "./chips.js";
import { Cursor } from "./cursor.js";
import { HostChoice } from "./host_choice.js";
import { Panel, niceDomain } from "./panel.js";
import { Sparkline } from "./sparkline.js";
import { News, at, bounds, boundsInWords, firstOpen, inView, newestEventMs, parts, spreadOf } from "./window_rows.js";

/** A window begins this long after the one before it; more between two is a gap. */
const SLIDE_NS = 1e9;
const TUMBLING = "busy_mean-tumbling";
const PANELS = [
  {
    title: "Processor time over 5 s", axis: "share of the time", unit: "%", height: 300, greatest: 100,
    series: [
      { name: "busy_mean", label: "busy", className: "c0" },
      { name: "busy_standard_deviation", label: "± 1 standard deviation", className: "c0 soft", of: spreadOf("busy_mean", "busy_standard_deviation") },
      { name: "busy_min", label: "min", className: "c4" },
      { name: "busy_max", label: "max", className: "c4" },
      { name: TUMBLING, label: "busy, tumbling", className: "c2", doc: "busy_mean of the windows that do not overlap each other" },
      { name: "waiting_mean", label: "wait", className: "c1" },
    ],
  },
  {
    title: "Memory over 5 s", axis: "size", unit: "KiB", height: 240, greatest: Infinity,
    series: [
      { name: "free_mean", label: "free", className: "c0" },
      { name: "free_max", label: "min to max of free", className: "c0 soft", from: "free_min", of: { low: (row) => row.free_min, high: (row) => row.free_max }, doc: "from free_min to free_max" },
      { name: "cache_mean", label: "cache", className: "c1" },
      { name: "buffers_mean", label: "buff", className: "c2" },
    ],
  },
];

export class Chart {
  constructor(host, { page, redraw }) {
    this.page = page;
    this.redraw = redraw;
    this.spanS = 120;
    this.windows = new Map();
    this.sorted = null;
    this.news = new Map();
    this.columns = new Map(page.columns.map((column) => [column.name, column]));
    this.cursor = new Cursor({ rows: () => this.#rows(), at, moved: () => redraw.request() });
    this.panels = PANELS.map((each) => this.#panel(host, each));
    this.hostChoice = new HostChoice(host, { at, changed: () => redraw.request() });
  }

  /** Rows that are new or changed, of any host. */
  take(rows) {
    for (const row of rows) {
      const ofHost = this.windows.get(row.host) ?? new Map();
      this.windows.set(row.host, ofHost.set(row.window_start_ns, row));
    }
    this.#forget();
    this.sorted = null;
  }

  clear() {
    this.windows.clear();
    this.sorted = null;
  }

  /** When the newest event of the host shown was made, in ms; null without one. */
  newestMs() {
    return newestEventMs(this.#rows());
  }

  /** When the event was made that is new in this row, in ms; the other windows that cover it bring no news. */
  newsMs(row) {
    const ofHost = this.news.get(row.host) ?? new News();
    this.news.set(row.host, ofHost);
    return ofHost.ms(row);
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

  /** What went wrong on the way, in words. A late event is in five windows, but only in one that tumbles. */
  troubles() {
    const late = d3.sum([...this.#hosts().values()].flat(), (row) => (row.tumbling ? row.late : 0));
    return `${count(late, "late event")} in the last ${number(this.page.history_s / 60)} minutes.`;
  }

  draw() {
    const rows = this.#rows();
    this.hostChoice.draw(this.#hosts());
    const { shown, xDomain } = inView(rows, this.spanS);
    const open = firstOpen(shown);
    const tumbling = shown.filter((row) => row.tumbling);
    const read = this.cursor.row();
    for (const each of this.panels) {
      const by = this.#layOut(each, shown, xDomain);
      this.#drawMarks(each, shown, { open, tumbling, by });
      this.#read(each, { read, newest: shown.at(-1), told: read ?? shown[open - 1] ?? shown.at(-1), tumbling, by });
    }
  }

  #rows() {
    return this.hostChoice.rows(this.#hosts());
  }

  /** Each host's rows by time. */
  #hosts() {
    this.sorted ??= new Map([...this.windows].map(([name, rows]) => [name, d3.sort(rows.values(), (row) => row.window_start_ns)]));
    return this.sorted;
  }

  #forget() {
    const newest = d3.max(this.windows.values(), (rows) => d3.max(rows.keys()));
    for (const [name, rows] of this.windows) {
      for (const start of rows.keys()) if (start < newest - this.page.history_s * 1e9) rows.delete(start);
      if (!rows.size) this.windows.delete(name);
    }
  }

  #panel(host, { title, axis, unit, height, series, ...rest }) {
    const { chips, plot } = addFigure(host, { title, isWide: true });
    const made = series.map((each) => ({ ...each, ...addChip(chips, { doc: this.columns.get(each.name)?.doc, ...each }, () => this.redraw.request()) }));
    const label = `${title} over time, in ${unit}; left and right arrow read single values, the table below has them all`;
    return { panel: new Panel(plot, { label, height, cursor: this.cursor }), series: made, axis, unit, ...rest };
  }

  /** Axes that hold what is switched on; returns by what values are divided. */
  #layOut({ panel, series, axis, unit, greatest }, rows, xDomain) {
    const shown = series.filter((each) => each.isOn());
    const high = Math.min(greatest, d3.max(shown, (each) => d3.max(rows, highOf(each))) ?? 0);
    const { unit: shownUnit, by } = scaleOf(unit, high);
    panel.layOut({ xDomain, yDomain: niceDomain([0, high / by]), xTitle: `local time (${zoneText()})`, yTitle: `${axis} (${shownUnit})` });
    return by;
  }

  #drawMarks({ panel, series, greatest }, rows, { open, tumbling, by }) {
    const shown = series.filter((each) => each.isOn());
    const ways = { firstOpen: open, by, isBreak: (a, b) => b.window_start_ns - a.window_start_ns > SLIDE_NS };
    const firstOpenRow = rows[open];
    panel.drawBars(shown.some(({ name }) => name === TUMBLING) ? tumbling.map((row) => barOf(row, row.window_start_ns >= firstOpenRow?.window_start_ns)) : []);
    panel.drawBands(shown.filter(({ of }) => of).flatMap(({ name, of }) => parts(name, "c0", rows, { ...ways, ...within(of, greatest, by) })));
    panel.drawLines(lines(shown).flatMap(({ name, className }) => parts(name, className, rows, { ...ways, value: (row) => scaled(row[name], by) })));
  }

  /** What stands beside the lines' ends, below the crosshair and in the chips. */
  #read({ panel, series }, { read, newest, told, tumbling, by }) {
    const shown = lines(series.filter((each) => each.isOn()));
    const values = (row) => shown.filter(({ name }) => (row?.[name] ?? null) !== null).map(({ name, label, className }) => ({ name: label, className, value: row[name] / by, of: name }));
    panel.drawLabels(values(newest));
    panel.drawCursor(read ? at(read) : null, values(read));
    for (const each of series) each.say(told && each.isOn() ? valueOf(each, told, tumbling, by) : "");
  }
}

/** On the index: how busy each host is, over windows of 5 s. */
export class Thumbnail extends Sparkline {
  constructor(svg) {
    const series = [{ name: "busy_mean", className: "c0", value: (row) => row.busy_mean }];
    const told = (row) => `${row.host}: ${row.busy_mean === null ? "–" : `${number(row.busy_mean)} %`} busy over 5 s`;
    super(svg, { key: (row) => `${row.window_start_ns} ${row.host}`, at, by: (row) => row.host, domain: [0, 100], series, told });
  }
}

function lines(series) {
  return series.filter(({ name, of }) => !of && name !== TUMBLING);
}

function scaled(value, by) {
  return value === null ? null : value / by;
}

/** A band where its axis has room for it: a share is no less than 0 and no more than all. */
function within({ low, high }, greatest, by) {
  return { low: (row) => (low(row) === null ? null : Math.max(0, low(row)) / by), high: (row) => Math.min(greatest, high(row)) / by };
}

function highOf({ name, of }) {
  if (of) return of.high;
  return name === TUMBLING ? (row) => row.busy_mean : (row) => row[name];
}

function barOf(row, isOpen) {
  return { key: row.window_start_ns, name: TUMBLING, className: `c2 tumbling${isOpen ? " open" : ""}`, ...bounds(row), low: 0, high: row.busy_mean ?? 0, row };
}

/** A series' value in that window; of those that tumble, in the one that covers its middle. */
function valueOf({ name, from }, row, tumbling, by) {
  if (from) return `${number(scaled(row[from], by))} – ${number(scaled(row[name], by))}`;
  if (name !== TUMBLING) return number(scaled(row[name], by));
  const covering = tumbling.find((each) => bounds(each).from <= at(row) && at(row) < bounds(each).to);
  return number(covering?.busy_mean);
}
