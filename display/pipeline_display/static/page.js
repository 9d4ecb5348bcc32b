/* A demo's page: its chart, its state, its latency, the path of its data, the table, the command line.
 *
 * In:  `data-page` of the body (see `page_of` in app.py) and the feeds: the demo's own, `heartbeats`, `watch`, `places`.
 * Out: `data-state`, `data-epoch`, `data-seq` and `data-breaks` on the body tell a test where the page is: the next frame's
 *      number, and how often a frame did not follow the one before it.
 */

import { Chart as Monitoring } from "./charts/monitoring.js";
import { Chart as Windows } from "./charts/windows.js";
import { count, seconds, timeWithMs, zoneText } from "./format.js";
import { Latency } from "./latency.js";
import { Link } from "./link.js";
import { Redraw } from "./redraw.js";
import { Path } from "./path.js";
import { State } from "./state.js";
import { Table } from "./table.js";
import { offerCopy } from "./copy.js";

const CHARTS = { monitoring: Monitoring, windows: Windows };
const STALE_AFTER_INTERVALS = 3;
const FIGURES_EVERY_MS = 500;

const page = JSON.parse(document.body.dataset.page);
const redraw = new Redraw(draw);
const chart = new CHARTS[page.chart](document.querySelector("#chart"), { page, redraw });
const table = new Table(chart);
const state = new State();
const latency = new Latency();
const path = new Path(page);
state.missing = page.missing;
let undrawn = [];
let arrivedMs = -Infinity;
let troubles = {};

const link = new Link([page.feed, "heartbeats", "watch", "places"], {
  part: take,
  connection: (connection) => { state.connection = connection; showState(); },
  extents: () => { state.isFollowing = true; showState(); },
  drawn: (after) => redraw.request(after),
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
  Object.assign(document.body.dataset, { epoch: part.epoch, seq: place.seq, breaks: place.breaks });
}

function takeFrame(frame, seq, place) {
  for (const row of frame.rows) row.frame = seq;
  chart.take(frame.rows);
  state.hasRows ||= frame.rows.length > 0;
  if (seq < place.liveFrom) return;
  arrivedMs = link.now();
  if (!document.hidden) undrawn.push(...frame.rows);
}

function draw() {
  chart.draw();
  const drawnMs = link.now();
  for (const madeMs of undrawn.map((row) => chart.newsMs(row))) {
    if (madeMs !== null) latency.add(madeMs, drawnMs);
  }
  undrawn = [];
  document.querySelector("#readout").textContent = chart.readout();
  table.draw();
  showState();
}

/** Stale when neither the newest data nor its arrival is recent; a late opener must not take old data for news. */
function showState() {
  const newestMs = Math.max(chart.newestMs() ?? -Infinity, arrivedMs);
  state.show(newestMs, (link.now() - newestMs) / 1000 > STALE_AFTER_INTERVALS * page.interval_s);
}

function showFigures() {
  const figures = latency.figures(link.now());
  const newestMs = chart.newestMs();
  const set = (id, text) => { document.querySelector(id).textContent = text; };
  set("#latency-median", figures ? seconds(figures.median / 1000) : "–");
  set("#latency-p99", figures ? seconds(figures.p99 / 1000) : "–");
  set("#latency-count", figures ? `${count(figures.count, "event")} in the last minute` : "the last minute had none");
  set("#newest", newestMs === null ? "–" : timeWithMs(newestMs));
  set("#zone", zoneText());
  set("#troubles", chart.troubles(troubles));
  path.draw(link.now(), { isConnected: state.connection === "connected", medianMs: figures?.median });
  const element = document.querySelector("#latency-median");
  Object.assign(element.dataset, figures ? { ms: figures.median, p99: figures.p99, count: figures.count } : { ms: "", p99: "", count: 0 });
  showState();
}

for (const button of document.querySelectorAll("[name=span]")) {
  button.addEventListener("change", () => { chart.spanS = Number(button.value); redraw.request(); });
}
offerCopy(document.querySelector("#copy"), document.querySelector("#command"));
new ResizeObserver(() => redraw.request()).observe(document.querySelector("#chart"));
setInterval(showFigures, FIGURES_EVERY_MS);
redraw.request();
