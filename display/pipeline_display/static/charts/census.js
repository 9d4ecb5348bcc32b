/* Demos 3 and 4: a population through its years, and what its households earn.
 *
 * In:  rows of `census_population`, `census_age` and `census_income`; a row replaces the one with the same key.
 * Out: a pyramid of the chosen year, mean ages through the years, a map of incomes; what each binds stands in its module.
 */

import { dateAndTime, number, years } from "../format.js";
import { Ages } from "./ages.js";
import { Pyramid } from "./pyramid.js";
import { Silhouette } from "./silhouette.js";
import { StatesMap } from "./states_map.js";
import { YearControl } from "./year.js";

export { Silhouette as Thumbnail };

const NS_PER_MS = 1e6;
const TABLE_ROWS_MAX = 300;
const SHORT = { census_population: "population", census_age: "age", census_income: "income" };

export class Chart {
  constructor(host, { page, redraw }) {
    this.tables = new Map(page.tables.map((table) => [table.name, { ...table, rows: new Map() }]));
    this.newsSoFarMs = -Infinity;
    this.derived = null;
    this.year = new YearControl(host.parentNode.querySelector(".controls"), { onYear: () => redraw.request() });
    const picks = { redraw, onYear: (year) => { this.year.choose(Math.round(year)); }, onStep: (steps) => this.year.step(steps) };
    this.pyramid = new Pyramid(host, { redraw });
    this.ages = new Ages(host, picks);
    this.map = new StatesMap(host, { redraw });
  }

  take(rows, name) {
    const table = this.tables.get(name);
    for (const row of rows) table.rows.set(table.key.map((column) => row[column]).join(" "), row);
    this.derived = null;
  }

  clear() {
    for (const table of this.tables.values()) table.rows.clear();
    this.derived = null;
  }

  /** When the newest row was computed, in ms; null without one. */
  newestMs() {
    return this.#derive().newestMs;
  }

  /** When this row was computed, in ms; null where its run was counted already. */
  newsMs(row) {
    const writtenMs = row.written_ns / NS_PER_MS;
    if (writtenMs <= this.newsSoFarMs) return null;
    this.newsSoFarMs = writtenMs;
    return writtenMs;
  }

  /** Texts for the figures above the chart, by element. */
  figures() {
    const counts = [...this.tables.values()].map(({ name, rows }) => ({ name: SHORT[name] ?? name, count: rows.size }));
    const note = counts.map(({ name, count }) => `${number(count)} of ${name}`).join(", ");
    return { "#rows": number(d3.sum(counts, ({ count }) => count)), "#rows-note": note };
  }

  tableRows(_limit, name) {
    const { byYear } = this.#derive();
    const rows = name === "census_population" ? byYear.get(this.year.year) ?? [] : [...this.tables.get(name).rows.values()];
    return d3.sort(rows, (row) => row.year, (row) => row.age, (row) => row.kind, (row) => row.place ?? row.sex).slice(0, TABLE_ROWS_MAX);
  }

  tableColumns(name) {
    const show = { year: String, written_ns: (ns) => dateAndTime(ns / NS_PER_MS) };
    return this.tables.get(name).columns.filter((column) => column.name !== "year_start_ns").map((column) => ({ ...column, show: show[column.name] }));
  }

  tableCaption(name) {
    return name === "census_population" ? `The chosen year, ${this.year.year ?? "none yet"}; other years by the slider` : "All rows; times are local";
  }

  readout() {
    const all = this.#derive().bySex.get("all")?.find((row) => row.year === this.year.year);
    return all ? `${number(all.people)} people, mean age ${years(all.mean)} ± ${years(all.standard_deviation)} years` : "";
  }

  /** Nothing is late or lost on the way of rows that stand. */
  troubles() {
    return "";
  }

  draw() {
    const { byYear, bySex, peopleMax, states, regions } = this.#derive();
    this.year.offer([...byYear.keys()].sort((a, b) => a - b));
    const { year } = this.year;
    const means = [...bySex.values()].flat().filter((row) => row.year === year);
    this.pyramid.draw({ year, rows: byYear.get(year) ?? [], means, peopleMax });
    this.ages.draw({ year, bySex });
    this.map.draw({ states, regions });
  }

  /** What the figures are drawn from; made anew when rows came. */
  #derive() {
    this.derived ??= derive((name) => [...this.tables.get(name).rows.values()]);
    return this.derived;
  }
}

function derive(rowsOf) {
  const [population, ages, income] = [rowsOf("census_population"), rowsOf("census_age"), rowsOf("census_income")];
  const places = (kind) => new Map(income.filter((row) => row.kind === kind).map((row) => [row.place, row]));
  const newestNs = d3.max([...population, ...ages, ...income], (row) => row.written_ns);
  return {
    byYear: d3.group(population, (row) => row.year),
    bySex: d3.group(d3.sort(ages, (row) => row.year), (row) => row.sex),
    peopleMax: d3.max(population, (row) => row.people),
    states: places("state"),
    regions: places("region"),
    newestMs: newestNs === undefined ? null : newestNs / NS_PER_MS,
  };
}
