/* The page of alerts: which stands at which level since when, and the newest events.
 *
 * In:  `data-page` of the body ({history_rows}), and the feed `alerts` (see feeds/alerts.py).
 * Out: counts by level, a row for each alert, the worst first, and one for each of the newest events.
 */

import { offerCopy } from "./copy.js";
import { count, dateAndTime, number, timeOfDay, timeWithMs } from "./format.js";
import { Link } from "./link.js";
import { Redraw } from "./redraw.js";
import { State } from "./state.js";

const WORST_FIRST = ["CRITICAL", "WARNING", "INFO", "OK"];
const STATES_SHOWN = 300;
const DAY_MS = 86_400_000;

const page = JSON.parse(document.body.dataset.page);
const state = new State();
state.waiting = "Connected. No task has alerted yet.";
const redraw = new Redraw(draw);
const states = new Map();
const history = new Map();
let forgotten = 0;
let newestMs = -Infinity;
let isDrawn = true; // the rows, which change with news only

const link = new Link(["alerts"], {
  part: take,
  connection: (connection) => { state.connection = connection; redraw.request(); },
  extents: () => { state.isFollowing = true; redraw.request(); },
  drawn: (after) => { redraw.request(); redraw.afterDrawing(after); },
  clock: () => redraw.request(),
});

function take(part) {
  state.away = part.status.away;
  if (part.start_over) { states.clear(); history.clear(); }
  for (const frame of part.frames) {
    // In one frame the later is the newer; a whole told again brings what is here already.
    for (const row of frame.states) states.set(JSON.stringify([row.task, row.node, row.alert_id]), row);
    for (const row of frame.history) history.set(row.event_id, row);
    for (const id of [...history.keys()].slice(0, Math.max(0, history.size - page.history_rows))) history.delete(id);
    forgotten = frame.forgotten;
  }
  if (part.frames.length) isDrawn = false;
  newestMs = Math.max(newestMs, ...part.frames.flatMap((frame) => frame.history.map((row) => row.time_ns / 1e6)));
  state.hasRows = states.size > 0;
}

function draw() {
  const nowMs = link.now();
  if (!isDrawn) {
    drawCounts();
    drawStates();
    drawHistory();
    isDrawn = true;
  }
  d3.selectAll("#states td.lasts").text((row) => lasting(row, nowMs));
  // What nobody alerts about does not grow old: only a queue that is away makes it stale.
  state.show(newestMs, false);
}

function drawCounts() {
  const counts = d3.rollup(states.values(), (of) => of.length, (row) => row.level);
  for (const level of WORST_FIRST) document.querySelector(`[data-count=${level}]`).textContent = number(counts.get(level) ?? 0);
}

function drawStates() {
  const all = d3.sort(states.values(), (a, b) => WORST_FIRST.indexOf(a.level) - WORST_FIRST.indexOf(b.level) || b.since_ns - a.since_ns);
  const left = forgotten + Math.max(0, all.length - STATES_SHOWN);
  document.querySelector("#states-note").textContent = `The worst first${left ? `; ${count(left, "more alert")} not shown` : ""}.`;
  const rows = rowsOf("#states", all.slice(0, STATES_SHOWN), (row) => JSON.stringify([row.task, row.node, row.alert_id]));
  rows.attr("data-alert", (row) => row.alert_id).attr("data-level", (row) => row.level);
  cells(rows, [
    { level: (row) => row.level },
    { text: (row) => row.alert_id, className: "string" },
    { text: (row) => when(row.since_ns) },
    { className: "lasts" },
    { text: (row) => row.message, className: "string doing" },
    { task: (row) => row.task },
  ]);
}

function drawHistory() {
  const rows = rowsOf("#history", [...history.values()].reverse(), (row) => row.event_id);
  cells(rows, [
    { text: (row) => when(row.time_ns) },
    { text: (row) => when(row.at_ns) },
    { level: (row) => row.level },
    { level: (row) => row.previous_level },
    { text: (row) => row.alert_id, className: "string" },
    { text: (row) => row.message, className: "string doing" },
    { task: (row) => row.task },
  ]);
}

function rowsOf(table, data, key) {
  const body = d3.select(`${table} tbody`);
  if (data.length) body.selectAll("tr.empty").remove();
  return body.selectAll("tr:not(.empty)").data(data, key).join("tr").order();
}

/** A cell for each column: a level with its colour and word, a link to a task, or a text. */
function cells(rows, columns) {
  rows.each(function draw(row) {
    const each = d3.select(this).selectAll("td").data(columns).join("td").attr("class", (column) => column.className ?? "string");
    each.filter((column) => column.text && !column.level).attr("class", (column) => column.className ?? null).text((column) => column.text(row));
    each.filter((column) => column.level).selectAll("span").data((column) => [column.level(row)]).join("span").attr("class", "level").attr("data-level", (level) => level).text((level) => level);
    each.filter((column) => column.task).selectAll("a").data((column) => [column.task(row)]).join("a").attr("href", (task) => `/tasks/${encodeURIComponent(task)}`).text((task) => task);
    each.filter((column) => column.className === "lasts").datum(row);
  });
}

/** How long it has not been OK, which an alert that is OK again tells of the past. */
function lasting(row, nowMs) {
  if (row.level === "OK") return row.duration_ns ? `was ${spell(row.duration_ns / 1e6)}` : "–";
  return spell(Math.max(row.duration_ns / 1e6, nowMs - (row.at_ns - row.duration_ns) / 1e6));
}

function spell(ms) {
  const s = Math.floor(ms / 1000);
  const [d, h, m] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
  if (d) return `${d} d ${h} h`;
  return h ? `${h} h ${m} min` : m ? `${m} min ${s % 60} s` : `${s} s`;
}

function when(ns) {
  const ms = ns / 1e6;
  return Math.abs(link.now() - ms) < DAY_MS ? (Math.abs(link.now() - ms) < 3_600_000 ? timeWithMs(ms) : timeOfDay(ms)) : dateAndTime(ms);
}

offerCopy(document.querySelector("#copy"), document.querySelector("#command"));
offerCopy(document.querySelector("#copy-starts"), document.querySelector("#starts"));
setInterval(() => redraw.request(), 1000);
redraw.request();
