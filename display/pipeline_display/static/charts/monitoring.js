/* Demo 1's chart: vmstat's columns as lines over time, one panel for each unit.
 *
 * In:  rows of the topic `monitoring` (one event each), as they come.
 * Out: per visible column `path.line[data-name]`; its datum is {name, points: rows}, values in the topic's own unit.
 *      Axes show KiB as MiB or GiB where that reads better; `by` of the datum is the divisor.
 */

import { number, scaleOf, timeWithMs, zoneText } from "../format.js";
import { Panel, niceDomain } from "./panel.js";

const NS_PER_MS = 1e6;
const PANELS = [
  { unit: "%", title: "Processor time", columns: ["us", "sy", "wa", "st", "id"], off: ["st", "id"], isWide: true, height: 260, domain: [0, 100] },
  { unit: "processes", title: "Processes", columns: ["r", "b"], off: [], height: 190 },
  { unit: "1/s", title: "Interrupts and switches", columns: ["in", "cs"], off: [], height: 190 },
  { unit: "KiB", title: "Memory", columns: ["free", "cache", "buff", "swpd"], off: ["swpd"], height: 190 },
  { unit: "KiB/s", title: "Disk and swap traffic", columns: ["bi", "bo", "si", "so"], off: ["si", "so"], height: 190 },
];

export class Chart {
  constructor(host, { page, redraw }) {
    this.page = page;
    this.redraw = redraw;
    this.hosts = new Map();
    this.shownHost = null;
    this.cursorMs = null;
    this.spanS = 120;
    this.columns = new Map(page.columns.map((column) => [column.name, column]));
    this.panels = PANELS.map((each) => this.#panel(host, each));
    this.hostChoice = hostChoice(host, (name) => { this.shownHost = name; redraw.request(); });
  }

  /** Rows of one frame, oldest first. */
  take(rows) {
    for (const row of rows) {
      const ofHost = this.hosts.get(row.host) ?? [];
      this.hosts.set(row.host, ofHost);
      const isOlder = ofHost.length && row.time_ns < ofHost.at(-1).time_ns;
      ofHost.push(row);
      if (isOlder) ofHost.sort((a, b) => a.time_ns - b.time_ns);
      while (ofHost[0].time_ns < row.time_ns - this.page.history_s * 1e9) ofHost.shift();
    }
  }

  clear() {
    this.hosts.clear();
  }

  /** Of the newest event drawn, in ms; null without one. */
  newestMs() {
    const last = this.#rows().at(-1);
    return last ? at(last) : null;
  }

  /** When a row's event was made, in ms. */
  madeMs(row) {
    return at(row);
  }

  tableRows(limit) {
    return this.#rows().slice(-limit).reverse();
  }

  tableColumns() {
    return this.page.columns.filter((column) => column.name === "time_ns" || column.name === "host" || (column.unit && column.name !== "seq"));
  }

  draw() {
    this.hostChoice.offer([...this.hosts.keys()].sort(), this.shownHost);
    const rows = this.#rows();
    const end = rows.length ? at(rows.at(-1)) : Date.now();
    const start = end - this.spanS * 1000;
    const first = Math.max(0, d3.bisector(at).left(rows, start) - 1);
    const cursor = this.#cursorRow(rows);
    for (const panel of this.panels) this.#drawPanel(panel, rows.slice(first), [start, end], cursor);
  }

  #rows() {
    return this.hosts.get(this.shownHost ?? this.hosts.keys().next().value) ?? [];
  }

  #cursorRow(rows) {
    if (this.cursorMs === null || !rows.length) return null;
    return rows[d3.bisector(at).center(rows, this.cursorMs)];
  }

  #panel(host, { unit, title, columns, off, isWide, height, domain }) {
    const figure = d3.select(host).append("figure").attr("class", isWide ? "figure wide" : "figure").attr("data-unit", unit);
    const head = figure.append("figcaption");
    head.append("span").attr("class", "figure-title").text(title);
    const chips = head.append("span").attr("class", "chips");
    const series = columns.map((name, i) => this.#chip(chips, name, i, !off.includes(name)));
    const plot = figure.append("div").attr("class", "plot").node();
    const panel = new Panel(plot, {
      title: `${title} over time, in ${unit}; the table below has the numbers`,
      height,
      onCursor: (ms) => { this.cursorMs = ms; this.redraw.request(); },
      onStep: (step) => this.#step(step),
    });
    return { panel, plot, series, unit, domain };
  }

  #chip(chips, name, i, isOn) {
    const column = this.columns.get(name);
    const chip = chips.append("label").attr("class", `chip c${i}`).attr("title", `${name}: ${column.doc}, ${column.unit}`);
    const box = chip.append("input").attr("type", "checkbox").attr("name", name).property("checked", isOn).on("change", () => this.redraw.request());
    chip.append("span").attr("class", "swatch").attr("aria-hidden", "true");
    chip.append("span").attr("class", "chip-name").text(name);
    const value = chip.append("output").attr("class", "chip-value");
    return { name, className: `c${i}`, isOn: () => box.property("checked"), say: (text) => value.text(text) };
  }

  #step(step) {
    const rows = this.#rows();
    if (!rows.length) return;
    const now = this.cursorMs === null ? rows.length : d3.bisector(at).center(rows, this.cursorMs);
    this.cursorMs = at(rows[Math.max(0, Math.min(rows.length - 1, now + step))]);
    this.redraw.request();
  }

  #drawPanel({ panel, plot, series, unit, domain }, rows, xDomain, cursor) {
    const shown = series.filter((each) => each.isOn());
    const greatest = d3.max(shown, (each) => d3.max(rows, (row) => row[each.name])) ?? 0;
    const { unit: shownUnit, by } = scaleOf(unit, greatest);
    const value = (name) => (row) => row[name] / by;
    const yDomain = domain ?? niceDomain([0, greatest / by], { fromZero: true });
    panel.layOut({ width: plot.clientWidth, xDomain, yDomain, xTitle: `local time (${zoneText()})`, yTitle: shownUnit });
    panel.drawLines(shown.map(({ name, className }) => ({ name, className, points: rows, by, at, value: value(name) })));
    const last = rows.at(-1);
    panel.drawLabels(last ? shown.map(({ name, className }) => ({ name, className, value: value(name)(last) })) : []);
    panel.drawCursor(cursor ? at(cursor) : null, cursor ? shown.map(({ name, className }) => ({ name, className, value: value(name)(cursor) })) : []);
    const told = cursor ?? last;
    for (const each of series) each.say(told && each.isOn() ? number(value(each.name)(told)) : "");
  }

  /** What the crosshair stands on, in words; empty without one. */
  readout() {
    const row = this.#cursorRow(this.#rows());
    return row ? timeWithMs(at(row)) : "";
  }
}

function at(row) {
  return row.time_ns / NS_PER_MS;
}

/** A choice of the host; hidden while there is only one. */
function hostChoice(host, onChoice) {
  const label = d3.select(host.parentNode).select(".controls").append("label").attr("class", "choice").attr("hidden", "");
  label.append("span").text("Host");
  const select = label.append("select").on("change", (event) => onChoice(event.target.value));
  return {
    offer(names, shown) {
      label.attr("hidden", names.length > 1 ? null : "");
      select.selectAll("option").data(names, (name) => name).join("option").attr("value", (name) => name).text((name) => name);
      if (shown) select.property("value", shown);
    },
  };
}
