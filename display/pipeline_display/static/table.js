/* The numbers behind a chart, newest first; written only while the table is open. */

import { inColumn, number, timeWithMs } from "./format.js";

const ROWS = 60;

export class Table {
  constructor(chart) {
    this.chart = chart;
    this.details = document.querySelector("#table");
    this.columns = chart.tableColumns();
    this.details.addEventListener("toggle", () => this.draw());
    const head = d3.select(this.details).select("thead").append("tr");
    head.selectAll("th").data(this.columns).join("th").attr("scope", "col").attr("title", (column) => column.doc).text(heading);
  }

  draw() {
    if (!this.details.open) return;
    const rows = this.chart.tableRows(ROWS);
    const columns = this.columns.map((column) => ({ ...column, size: d3.max(rows, (row) => Math.abs(row[column.name])) }));
    const lines = d3.select(this.details).select("tbody").selectAll("tr").data(rows).join("tr");
    lines.selectAll("td").data((row) => columns.map((column) => ({ column, value: row[column.name] }))).join("td").attr("class", (cell) => cell.column.kind).text(shown);
  }
}

function heading(column) {
  const name = column.name.replace(/_ns$/, "").replaceAll("_", " ");
  return column.unit && column.unit !== "ns" ? `${name} (${column.unit})` : name;
}

function shown({ column, value }) {
  if (column.kind === "string") return value;
  if (column.unit === "ns") return value ? timeWithMs(value / 1e6) : "–";
  return column.kind === "float64" ? inColumn(value, column.size) : number(value);
}
