/* The page of applications' events: what comes in, what waits, what is in the tables, and the way of one event.
 *
 * In:  `data-page` of the body ({types}), and the feeds `events`, `sent` and `heartbeats`.
 * Out: tables and figures, drawn once a second and when news come.
 */

import { offerCopy } from "./copy.js";
import { EventCounts } from "./event_counts.js";
import { EventForm } from "./event_form.js";
import { count, number, seconds } from "./format.js";
import { Link } from "./link.js";
import { Loads, drawLoads, drawNewest } from "./loads.js";
import { Redraw } from "./redraw.js";
import { Services } from "./services.js";
import { State } from "./state.js";

const STALE_S = 25; // collectors and loader tell all every ten seconds
const HEALTH_WORDS = { up: "healthy", unwell: "unwell", gone: "not answering", done: "finished" };

const page = JSON.parse(document.body.dataset.page);
const counts = new EventCounts();
const loads = new Loads();
const services = new Services();
const state = new State();
state.waiting = "Connected. Neither a collector nor a loader has told anything yet.";
const redraw = new Redraw(draw);
let newestMs = -Infinity;
let openedMs = Infinity;

const link = new Link(["events", "sent", "heartbeats"], {
  part: take,
  connection: (connection) => { state.connection = connection; redraw.request(); },
  extents: () => { state.isFollowing = true; openedMs = Math.min(openedMs, link.now()); redraw.request(); },
  drawn: (after) => { redraw.request(); redraw.afterDrawing(after); },
  clock: () => redraw.request(),
});
const form = document.querySelector("#send") && new EventForm(page.types, (wish, answered) => link.socket.timeout(3000).emit("send", wish, answered));

function take(part) {
  if (part.feed === "heartbeats") return part.frames.forEach((frame) => services.take(frame.rows));
  if (part.feed === "sent") return form?.take(part.frames);
  state.away = part.status.away;
  for (const frame of part.frames) {
    counts.take(frame.counts ?? [], openedMs);
    loads.take(frame.loads ?? []);
    state.hasRows = true;
    newestMs = Math.max(newestMs, ...[...(frame.counts ?? []), ...(frame.loads ?? [])].map((row) => row.time_ns / 1e6));
  }
}

function draw() {
  const nowMs = link.now();
  const told = counts.now(nowMs);
  const standing = loads.now();
  drawFigures(told, standing);
  drawCounts("#accepted-by", told.accepted, (each) => [each.client || "anybody", each.type]);
  drawCounts("#refused-by", told.refused, (each) => [each.client || "anybody", each.outcome]);
  drawLoads(standing, nowMs);
  drawNewest(standing, page.types);
  for (const name of ["collector", "loader"]) drawService(name, services.now(nowMs));
  form?.draw(standing);
  state.show(newestMs, (nowMs - newestMs) / 1000 > STALE_S);
}

function drawFigures({ accepted, refused }, standing) {
  for (const [id, rows] of [["accepted", accepted], ["refused", refused]]) {
    setText(`#${id}`, rows.length ? `${rounded(d3.sum(rows, (each) => each.perS))} /s` : "–");
    setText(`#${id}-note`, rows.length ? count(d3.sum(rows, (each) => each.events), "event") : "nothing told yet");
  }
  setText("#waiting", standing.length ? number(d3.sum(standing, (each) => each.lag_events)) : "–");
  setText("#waiting-note", standing.length ? `the oldest for ${seconds(d3.max(standing, (each) => each.lag_s))}` : "the loader has told nothing yet");
}

function drawCounts(table, rows, names) {
  if (!rows.length) return;
  const lines = d3.select(`${table} tbody`).selectAll("tr").data(rows).join("tr").attr("class", null);
  const cells = (each) => [...names(each).map((text) => ({ text, className: "string" })), { text: rounded(each.perS) }, { text: number(each.events) }];
  lines.selectAll("td").data(cells).join("td").attr("colspan", null).attr("class", (cell) => cell.className ?? null).text((cell) => cell.text);
}

/** A collector of several processes has a heartbeat for each: `collector-0a1b2c3d`. */
function drawService(name, now) {
  const here = now.filter((each) => each.service === name || each.service.startsWith(`${name}-`));
  const healths = here.map((each) => each.health);
  const health = ["unwell", "up", "gone", "done"].find((each) => healths.includes(each)) ?? "unknown";
  const element = document.querySelector(`#${name}`);
  element.dataset.health = health;
  const doing = here.find((each) => each.health === health)?.newest.doing;
  element.textContent = health === "unknown" ? `No heartbeat of a ${name} yet.` : `The ${name} is ${HEALTH_WORDS[health]}: ${doing}.`;
}

function rounded(rate) {
  return number(Math.round(rate * 10) / 10);
}

function setText(selector, text) {
  document.querySelector(selector).textContent = text;
}

offerCopy(document.querySelector("#copy"), document.querySelector("#command"));
setInterval(() => redraw.request(), 1000);
redraw.request();
