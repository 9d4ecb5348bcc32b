/* The numbers behind a chart, newest first; written only while the table is open. */

import { inColumn, number, timeWithMs } from "./format.js";

const ROWS = 60;

export class Table {
  /** A chart of several tables is asked for the chosen one, and may say how many rows it is good for and how they are ordered. */
  constructor(chart) {
    this.chart = chart;
    this.details = document.querySelector("#table");
    this.caption = this.details.querySelector("caption");
    this.details.addEventListener("toggle", () => this.draw());
    for (const button of this.details.querySelectorAll("[name=table]")) button.addEventListener("change", () => this.draw());
  }

  draw() {
    if (!this.details.open) return;
    const name = this.details.querySelector("[name=table]:checked")?.value;
    const rows = this.chart.tableRows(ROWS, name);
    const columns = this.chart.tableColumns(name).map((column) => ({ ...column, size: d3.max(rows, (row) => Math.abs(row[column.name])) }));
    this.caption.textContent = this.chart.tableCaption?.(name) ?? this.caption.textContent;
    const head = d3.select(this.details).select("thead").selectAll("tr").data([columns]).join("tr");
    head.selectAll("th").data(columns).join("th").attr("scope", "col").attr("title", (column) => column.doc).attr("class", (column) => column.kind).text(heading);
    const lines = d3.select(this.details).select("tbody").selectAll("tr").data(rows).join("tr");
    lines.selectAll("td").data((row) => columns.map((column) => ({ column, value: row[column.name] }))).join("td").attr("class", (cell) => cell.column.kind).text(shown);
  }
}

function heading(column) {
  const name = column.name.replace(/_ns$/, "").replaceAll("_", " ");
  return column.unit && column.unit !== "ns" && column.unit !== name ? `${name} (${column.unit})` : name;
}

function shown({ column, value }) {
  if (column.show) return column.show(value);
  if (column.kind === "string") return value;
  if (column.kind === "boolean") return value ? "yes" : "no";
  if (column.unit === "ns") return value ? timeWithMs(value / 1e6) : "–";
  return column.kind === "float64" ? inColumn(value, column.size) : number(value);
}
