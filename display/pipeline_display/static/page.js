/* A demo's page: its chart, its state, its latency, the path of its data, the table, the command line.
 *
 * In:  `data-page` of the body (see `page_of` in app.py) and the feeds: the demo's own, `heartbeats`, `watch`, `places`.
 * Out: `data-state`, `data-epoch`, `data-seq` and `data-breaks` on the body tell a test where the page is: the next frame's
 *      number, and how often a frame did not follow the one before it.
 */

import { count, dateAndTime, seconds, timeWithMs, zoneText } from "./format.js";
import { Latency } from "./latency.js";
import { browserNow, Link } from "./link.js";
import { Redraw } from "./redraw.js";
import { Path } from "./path.js";
import { State } from "./state.js";
import { Table } from "./table.js";
import { offerCopy } from "./copy.js";

const STALE_AFTER_INTERVALS = 3;
const FIGURES_EVERY_MS = 500;

const page = JSON.parse(document.body.dataset.page);
const { Chart } = await import(`./charts/${page.chart}.js`);
const redraw = new Redraw(draw);
const chart = new Chart(document.querySelector("#chart"), { page, redraw, now });
const table = new Table(chart);
const state = new State();
const latency = new Latency();
const path = new Path(page);
state.missing = page.missing;
if (page.is_settled) state.waiting = `Connected. The chart begins when the job ${page.job} has run.`;
let undrawn = [];
let untimed = []; // [made, drawn], the latter by the browser's clock, until the server has told its time
let arrivedMs = -Infinity; // by the browser's clock
let troubles = {};
let lastFigures = null;

const link = new Link([page.feed, "heartbeats", "watch", "places"], {
  part: take,
  connection: (connection) => { state.connection = connection; showState(); },
  extents: () => { state.isFollowing = true; showState(); },
  drawn: (after) => redraw.afterDrawing(after),
  clock: () => { noteLatencies(); redraw.request(); },
});

function take(part, place) {
  if (part.feed === "heartbeats") return path.takeHeartbeats(part.frames);
  if (part.feed === "watch") return path.takeWatch(part.frames);
  if (part.feed === "places") return path.takePlaces(part.frames);
  if (part.start_over) chart.clear();
  part.frames.forEach((frame, i) => takeFrame(frame, part.seq + i, place));
  state.away = part.status.away;
  troubles = part.status;
  path.takeFrame(part);
  redraw.request();
  Object.assign(document.body.dataset, { epoch: part.epoch, seq: place.seq, breaks: place.breaks });
}

function takeFrame(frame, seq, place) {
  for (const row of frame.rows) row.frame = seq;
  chart.take(frame.rows, frame.table);
  state.hasRows ||= frame.rows.length > 0;
  if (seq < place.liveFrom) return;
  arrivedMs = browserNow();
  if (!document.hidden) for (const row of frame.rows) undrawn.push(row);
}

function draw() {
  chart.draw();
  const drawnMs = browserNow();
  for (const madeMs of undrawn.map((row) => chart.newsMs(row))) {
    if (madeMs !== null) untimed.push([madeMs, drawnMs]);
  }
  undrawn = [];
  noteLatencies();
  document.querySelector("#readout").textContent = chart.readout();
  table.draw();
  showState();
}

/** A browser's clock may be hours off, so what was drawn is dated once the server has told its time. */
function noteLatencies() {
  if (!link.knowsTime) return;
  for (const [madeMs, drawnMs] of untimed) latency.add(madeMs, link.at(drawnMs));
  untimed = [];
}

/** The server's time in ms, Infinity while it is not known: a chart that hides what is ahead must not hide all. */
function now() {
  return link.knowsTime ? link.now() : Infinity;
}

/** Stale when neither the newest data nor its arrival is recent; a late opener must not take old data for news. */
function showState() {
  const newestMs = Math.max(chart.newestMs() ?? -Infinity, link.at(arrivedMs));
  const isOld = (link.now() - newestMs) / 1000 > STALE_AFTER_INTERVALS * page.interval_s;
  state.show(newestMs, isOld && !page.is_settled);
}

function showFigures() {
  const figures = latencyFigures();
  const newestMs = chart.newestMs();
  const set = (id, text) => { const element = document.querySelector(id); if (element) element.textContent = text; };
  set("#latency-median", figures ? seconds(figures.median / 1000) : "–");
  set("#latency-p99", figures ? seconds(figures.p99 / 1000) : "–");
  set("#latency-count", page.is_settled ? runsTold(figures) : eventsTold(figures));
  set("#newest", newestMs === null ? "–" : page.is_settled ? dateAndTime(newestMs) : timeWithMs(newestMs));
  for (const [id, text] of Object.entries(chart.figures?.() ?? {})) set(id, text);
  set("#zone", zoneText());
  set("#troubles", chart.troubles(troubles));
  path.draw(link.now(), { isConnected: state.connection === "connected", medianMs: figures?.median });
  const element = document.querySelector("#latency-median");
  Object.assign(element.dataset, figures ? { ms: figures.median, p99: figures.p99, count: figures.count } : { ms: "", p99: "", count: 0 });
  showState();
}

/** Of the last minute; of rows that stand those of the last run that this page saw. */
function latencyFigures() {
  const figures = latency.figures(link.now());
  lastFigures = figures ?? lastFigures;
  return page.is_settled ? lastFigures : figures;
}

function eventsTold(figures) {
  if (!figures) return "the last minute had none";
  return figures.isWhole ? `${count(figures.count, "event")} in the last minute` : `the last ${count(figures.count, "event")}`;
}

function runsTold(figures) {
  return figures ? "of the last run" : "the job was not run since this page was opened";
}

/** Also one that was chosen before this script ran. */
function chooseSpan() {
  const chosen = document.querySelector("[name=span]:checked");
  if (chosen) chart.spanS = Number(chosen.value);
  redraw.request();
}

for (const button of document.querySelectorAll("[name=span]")) button.addEventListener("change", chooseSpan);
offerCopy(document.querySelector("#copy"), document.querySelector("#command"));
new ResizeObserver(() => redraw.request()).observe(document.querySelector("#chart"));
setInterval(showFigures, FIGURES_EVERY_MS);
chooseSpan();
