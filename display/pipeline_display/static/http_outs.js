/* What a task's httpOuts hold: the newest of each as a table, and its numbers over time as this page saw them.
 *
 * In:  {endpoint: {series: [{name, tags, columns, values}]} or {error}}, again and again.
 * Out: a block for each endpoint; a chart for each numeric column, with a line for each series, bound as `Panel` binds them.
 */

import { Cursor } from "./charts/cursor.js";
import { addChip, addFigure } from "./charts/chips.js";
import { Panel, niceDomain } from "./charts/panel.js";
import { count, dateAndTime, number, timeWithMs, zoneText } from "./format.js";

const KEPT_MS = 5 * 60_000;
const DAY_MS = 86_400_000;
const POINTS_MAX = 2_000;
const LINES_MAX = 5;
const COLUMNS_MAX = 6;
const TABLE_ROWS = 60;
const HEIGHT = 190;

export class HttpOuts {
  #blocks = new Map();

  constructor(host, redraw) {
    this.host = d3.select(host);
    this.redraw = redraw;
  }

  clear() {
    this.#blocks.clear();
    this.host.selectAll(".output").remove();
  }

  take(outputs) {
    for (const [endpoint, told] of Object.entries(outputs)) {
      if (!this.#blocks.has(endpoint)) this.#blocks.set(endpoint, new Block(this.host, endpoint, this.redraw));
      this.#blocks.get(endpoint).take(told);
    }
    this.host.selectAll("p.empty").property("hidden", this.#blocks.size > 0);
  }

  draw() {
    for (const block of this.#blocks.values()) block.draw();
  }
}

class Block {
  #series = new Map(); // key -> {label, points: [{ms, ..columns}]}
  #panels = new Map(); // column -> {panel, chips: Map(label -> chip), chipsHost}
  #told = {};

  constructor(host, endpoint, redraw) {
    this.redraw = redraw;
    const block = host.append("div").attr("class", "output chart-card").attr("data-endpoint", endpoint);
    block.append("h3").text(endpoint);
    this.note = block.append("p").attr("class", "note");
    this.charts = block.append("div").attr("class", "chart");
    const details = block.append("details").attr("class", "table").attr("open", "");
    details.append("summary").text("The newest result");
    const table = details.append("div").attr("class", "scroll").attr("tabindex", 0).append("table");
    table.append("caption");
    table.append("thead").append("tr");
    table.append("tbody");
    this.table = table;
    this.cursor = new Cursor({ rows: () => this.#instants(), at: (ms) => ms, moved: () => redraw.request() });
  }

  take(told) {
    this.#told = told;
    for (const series of told.series ?? []) this.#keep(series);
    const newest = d3.max(this.#series.values(), (each) => each.points.at(-1)?.ms) ?? 0;
    for (const [key, each] of this.#series) {
      each.points = each.points.filter((point) => point.ms > newest - KEPT_MS).slice(-POINTS_MAX);
      if (!each.points.length) this.#series.delete(key);
    }
  }

  draw() {
    const rows = rowsOf(this.#told.series ?? []);
    const left = this.#series.size - LINES_MAX;
    this.note.text(this.#told.error || (rows.length ? (left > 0 ? `${count(left, "more group")} not drawn; the table has them.` : "") : "Nothing yet."));
    this.#drawTable(rows);
    const lines = [...this.#series.values()].slice(0, LINES_MAX);
    const columns = [...new Set(lines.flatMap((each) => each.columns))].slice(0, COLUMNS_MAX);
    for (const column of columns) this.#drawColumn(column, lines.filter((each) => each.columns.includes(column)));
  }

  #keep({ name, tags, columns, values }) {
    const key = JSON.stringify([name, tags ?? {}]);
    const label = Object.entries(tags ?? {}).map(([tag, value]) => `${tag}=${value}`).join(", ") || name || "all";
    const kept = this.#series.get(key) ?? { label, points: [], columns: [] };
    const byMs = new Map(kept.points.map((point) => [point.ms, point]));
    for (const row of values ?? []) {
      const point = Object.fromEntries(columns.map((column, i) => [column, row[i]]).filter(([column, value]) => column !== "time" && typeof value === "number"));
      byMs.set(Date.parse(row[columns.indexOf("time")]), point);
      kept.columns = [...new Set([...kept.columns, ...Object.keys(point)])];
    }
    byMs.delete(NaN);
    kept.points = d3.sort([...byMs].map(([ms, point]) => ({ ...point, ms })), (point) => point.ms);
    this.#series.set(key, kept);
  }

  #instants() {
    return d3.sort(new Set([...this.#series.values()].flatMap((each) => each.points.map((point) => point.ms))));
  }

  #drawColumn(column, lines) {
    const { panel, chips, chipsHost } = this.#panel(column);
    lines.forEach(({ label }, i) => {
      if (!chips.has(label)) chips.set(label, addChip(chipsHost, { name: label, doc: `${column} of ${label}`, className: `c${i}` }, () => this.redraw.request()));
    });
    const shown = lines.filter(({ label }) => chips.get(label).isOn()).map(({ label, points }) => ({ name: label, className: chips.get(label).className, points, at: (point) => point.ms, value: (point) => point[column] ?? null }));
    const times = shown.flatMap((line) => line.points.map((point) => point.ms));
    const [from = Date.now() - 1000, to = Date.now()] = d3.extent(times);
    panel.layOut({
      xDomain: [Math.min(from, to - 10_000), to],
      yDomain: niceDomain(shown.flatMap((line) => line.points.map(line.value)).filter((value) => value !== null)),
      xTitle: `the points' time (${zoneText()})`,
      yTitle: column,
    });
    panel.drawLines(shown);
    panel.drawDots(shown.filter((line) => line.points.length === 1).map((line) => ({ ...line, ms: line.points[0].ms, value: line.value(line.points[0]) })));
    const ms = this.cursor.row();
    const at = (line) => (ms === null ? line.points.at(-1) : line.points[d3.bisector((point) => point.ms).center(line.points, ms)]);
    const told = shown.map((line) => ({ ...line, value: line.value(at(line)) })).filter((each) => each.value !== null);
    panel.drawCursor(ms, told);
    for (const chip of chips.values()) chip.say("");
    for (const each of told) chips.get(each.name).say(number(each.value));
  }

  #panel(column) {
    if (!this.#panels.has(column)) {
      const { chips: chipsHost, plot } = addFigure(this.charts.node(), { title: column, isWide: false });
      const label = `${column} over time; left and right arrow read single values, the table below has the newest`;
      this.#panels.set(column, { panel: new Panel(plot, { label, height: HEIGHT, cursor: this.cursor }), chips: new Map(), chipsHost });
    }
    return this.#panels.get(column);
  }

  #drawTable(rows) {
    const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    const shown = rows.slice(-TABLE_ROWS);
    this.table.select("caption").text(rows.length > shown.length ? `The last ${shown.length} of ${number(rows.length)} rows` : `${count(rows.length, "row")}; times are local`);
    this.table.select("thead tr").selectAll("th").data(names).join("th").attr("scope", "col").attr("class", (name) => (isNumber(shown, name) ? null : "string")).text((name) => name);
    const lines = this.table.select("tbody").selectAll("tr").data(shown).join("tr");
    lines.selectAll("td").data((row) => names.map((name) => [name, row[name]])).join("td").attr("class", ([, value]) => (typeof value === "number" ? null : "string")).text(([name, value]) => saidOf(name, value));
  }
}

/** A row for each point: tags and columns. */
function rowsOf(series) {
  return series.flatMap(({ tags, columns, values }) => (values ?? []).map((row) => ({ time: null, ...tags, ...Object.fromEntries(columns.map((column, i) => [column, row[i]])) })));
}

function isNumber(rows, name) {
  return rows.some((row) => typeof row[name] === "number");
}

function saidOf(name, value) {
  if (value === null || value === undefined) return "–";
  if (name === "time") return timeOf(Date.parse(value));
  return typeof value === "number" ? number(value) : String(value);
}

function timeOf(ms) {
  return Math.abs(Date.now() - ms) < DAY_MS ? timeWithMs(ms) : dateAndTime(ms);
}
