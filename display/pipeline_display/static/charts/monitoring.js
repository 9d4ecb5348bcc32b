/* Demo 1's chart: vmstat's columns as lines over time, one panel for each unit.
 *
 * In:  rows of the topic `monitoring` (one event each), as they come.
 * Out: per visible column `path.line[data-name]`; its datum is {name, by, points: rows}, values in the topic's own unit.
 *      Axes show KiB as MiB or GiB where that reads better: what is drawn is the value divided by `by`.
 */

import { count, number, scaleOf, timeWithMs, zoneText } from "../format.js";
import { addChip, addFigure } from "./chips.js";
import { Cursor } from "./cursor.js";
import { HostChoice } from "./host_choice.js";
import { Panel, niceDomain } from "./panel.js";
import { Sparkline } from "./sparkline.js";

const NS_PER_MS = 1e6;
const BREAK_INTERVALS = 4;
const PANELS = [
  { unit: "%", title: "Processor time", axis: "share of the time", columns: ["us", "sy", "wa", "st", "id"], off: ["st", "id"], isWide: true, height: 260, domain: [0, 100] },
  { unit: "processes", title: "Processes", axis: "number", columns: ["r", "b"], off: [], height: 190 },
  { unit: "1/s", title: "Interrupts and switches", axis: "rate", columns: ["in", "cs"], off: [], height: 190 },
  { unit: "KiB", title: "Memory", axis: "size", columns: ["free", "cache", "buff", "swpd"], off: ["swpd"], height: 190 },
  { unit: "KiB/s", title: "Disk and swap traffic", axis: "rate", columns: ["bi", "bo", "si", "so"], off: ["si", "so"], height: 190 },
];

export class Chart {
  constructor(host, { page, redraw }) {
    this.page = page;
    this.redraw = redraw;
    this.hosts = new Map();
    this.ids = new Set();
    this.spanS = 120;
    this.columns = new Map(page.columns.map((column) => [column.name, column]));
    this.cursor = new Cursor({ rows: () => this.#rows(), at, moved: () => redraw.request() });
    this.panels = PANELS.map((each) => this.#panel(host, each));
    this.hostChoice = new HostChoice(host, { at, changed: () => redraw.request() });
  }

  /** Rows of one frame, oldest first. A producer that got no answer may have sent an event twice; it is drawn once. */
  take(rows) {
    for (const row of rows) {
      if (this.ids.has(row.event_id)) continue;
      this.ids.add(row.event_id);
      const ofHost = this.hosts.get(row.host) ?? [];
      this.hosts.set(row.host, ofHost);
      const isOlder = ofHost.length && row.time_ns < ofHost.at(-1).time_ns;
      ofHost.push(row);
      if (isOlder) ofHost.sort((a, b) => a.time_ns - b.time_ns);
      while (ofHost[0].time_ns < row.time_ns - this.page.history_s * 1e9) this.ids.delete(ofHost.shift().event_id);
    }
  }

  clear() {
    this.ids.clear();
    this.hosts.clear();
  }

  /** When the newest event was made, in ms; null without one. */
  newestMs() {
    const last = this.#rows().at(-1);
    return last ? at(last) : null;
  }

  /** When the event was made that is new in this row, in ms. */
  newsMs(row) {
    return at(row);
  }

  tableRows(limit) {
    return this.#rows().slice(-limit).reverse();
  }

  tableColumns() {
    return this.page.columns.filter((column) => column.name === "time_ns" || column.name === "host" || (column.unit && column.name !== "seq"));
  }

  /** What the crosshair stands on, in words; empty without one. */
  readout() {
    const row = this.cursor.row();
    return row ? timeWithMs(at(row)) : "";
  }

  /** What went wrong on the way, in words; the feed counts since the display's start. */
  troubles({ dead = 0, late = 0, gaps = 0 }) {
    return `${count(dead, "dead letter")}, ${number(late)} late, ${count(gaps, "gap")}.`;
  }

  draw() {
    const rows = this.#rows();
    this.hostChoice.draw(this.hosts);
    const end = rows.length ? at(rows.at(-1)) : Date.now();
    const start = end - this.spanS * 1000;
    const shown = rows.slice(Math.max(0, d3.bisector(at).left(rows, start) - 1));
    const gapMs = BREAK_INTERVALS * (d3.median(d3.pairs(shown, (a, b) => at(b) - at(a))) ?? Infinity);
    for (const panel of this.panels) this.#drawPanel(panel, shown, [start, end], gapMs);
  }

  #rows() {
    return this.hostChoice.rows(this.hosts);
  }

  #panel(host, { unit, title, axis, columns, off, isWide, height, domain }) {
    const { chips, plot } = addFigure(host, { title, isWide });
    const series = columns.map((name, i) => addChip(chips, this.#series(name, `c${i}`, !off.includes(name)), () => this.redraw.request()));
    const label = `${title} over time, in ${unit}; left and right arrow read single values, the table below has them all`;
    return { panel: new Panel(plot, { label, height, cursor: this.cursor }), series, unit, axis, domain };
  }

  #series(name, className, isOn) {
    const { doc, unit } = this.columns.get(name);
    return { name, doc: `${name}: ${doc}, ${unit}`, className, isOn };
  }

  #drawPanel({ panel, series, unit, axis, domain }, rows, xDomain, gapMs) {
    const shown = series.filter((each) => each.isOn());
    const greatest = d3.max(shown, (each) => d3.max(rows, (row) => row[each.name])) ?? 0;
    const { unit: shownUnit, by } = scaleOf(unit, greatest);
    const of = (name) => (row) => row[name] / by;
    const isBreak = (a, b) => at(b) - at(a) > gapMs;
    const yDomain = domain ?? niceDomain([0, greatest / by]);
    panel.layOut({ xDomain, yDomain, xTitle: `local time (${zoneText()})`, yTitle: `${axis} (${shownUnit})` });
    panel.drawLines(shown.map(({ name, className }) => ({ name, className, points: rows, by, at, value: of(name), isBreak })));
    const values = (row) => (row ? shown.map(({ name, className }) => ({ name, className, value: of(name)(row) })) : []);
    const cursor = this.cursor.row();
    panel.drawLabels(values(rows.at(-1)));
    panel.drawCursor(cursor ? at(cursor) : null, values(cursor));
    const told = cursor ?? rows.at(-1);
    for (const each of series) each.say(told && each.isOn() ? number(of(each.name)(told)) : "");
  }
}

/** On the index: how busy the processors of each host are. */
export class Thumbnail extends Sparkline {
  constructor(svg) {
    const busy = (row) => row.us + row.sy;
    const told = (row) => `${number(busy(row))} % busy`;
    super(svg, { key: (row) => row.event_id, at, by: (row) => row.host, domain: [0, 100], series: [{ name: "busy", className: "c0", value: busy }], told });
  }
}

function at(row) {
  return row.time_ns / NS_PER_MS;
}
