/* How the loader stands, and the newest rows of its tables.
 *
 * In:  rows of the topic `loads`, the newest of each type.
 * Out: `#loads` with a line a type, `#newest` with a table a type; `reached` as an object, `newest` as rows.
 */

import { dateAndTime, number, seconds, timeOfDay, timeWithMs } from "./format.js";

const DAY_MS = 86_400_000;

export class Loads {
  #types = new Map();

  take(rows) {
    for (const row of rows) {
      const before = this.#types.get(row.type);
      if (before && before.time_ns >= row.time_ns) continue;
      const newest = JSON.parse(row.newest, exactly);
      // A loader that began anew knows no rows before its first load; those known here are still in the table.
      this.#types.set(row.type, { ...row, reached: JSON.parse(row.reached), newest: newest.length ? newest : before?.newest ?? [] });
    }
  }

  now() {
    return d3.sort(this.#types.values(), (each) => each.type);
  }
}

/** An integer of 64 bits as it stands in the text, where a number here would be another one. */
function exactly(_name, value, { source } = {}) {
  return source && Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(source) : value;
}

export function drawLoads(standing, nowMs) {
  if (!standing.length) return;
  const rows = d3.select("#loads tbody").selectAll("tr").data(standing).join("tr").attr("class", null).attr("data-type", (each) => each.type);
  rows.selectAll("td").data((each) => cellsOf(each, nowMs)).join("td").attr("colspan", null).attr("class", (cell) => cell.className ?? null).text((cell) => cell.text);
}

function cellsOf(each, nowMs) {
  const loadedMs = each.loaded_at_ns / 1e6;
  const dueS = (each.next_at_ns / 1e6 - nowMs) / 1000;
  return [
    { text: each.type, className: "string" },
    { text: number(each.lag_events) },
    { text: each.lag_events ? seconds(each.lag_s) : "–" },
    { text: !each.loaded_at_ns ? "never" : nowMs - loadedMs < DAY_MS ? timeOfDay(loadedMs) : dateAndTime(loadedMs) },
    { text: dueS > 1 ? `in ${number(Math.round(dueS))} s` : "now" },
    { text: number(each.events) },
    { text: number(each.dead), className: each.dead ? "wrong" : undefined },
    { text: number(each.gone), className: each.gone ? "wrong" : undefined },
  ];
}

export function drawNewest(standing, types) {
  const known = standing.filter((each) => each.newest.length);
  const tables = d3.select("#newest").selectAll("div.scroll").data(known, (each) => each.type).join(newTable);
  tables.each(function draw({ type, newest }) {
    const fields = types.find((each) => each.name === type)?.fields ?? [];
    const names = ["time_ns", "client", "event_id", ...fields.map((field) => field.name)];
    d3.select(this).select("thead tr").selectAll("th").data(names).join("th").attr("scope", "col").attr("class", "string").text((name) => name.replace(/_ns$/, ""));
    const rows = d3.select(this).select("tbody").selectAll("tr").data(newest, (row) => JSON.stringify([row.client, row.event_id])).join("tr");
    rows.selectAll("td").data((row) => names.map((name) => shown(name, row[name]))).join("td").attr("class", "string").text((text) => text);
  });
}

function newTable(enter) {
  const table = enter.append("div").attr("class", "scroll").attr("tabindex", 0).append("table").attr("data-type", (each) => each.type);
  table.append("caption").text((each) => each.type);
  table.append("thead").append("tr");
  table.append("tbody");
  return table.select(function up() { return this.parentNode; });
}

function shown(name, value) {
  if (value === null || value === undefined) return "–";
  return name === "time_ns" ? timeWithMs(Number(value) / 1e6) : String(value);
}
