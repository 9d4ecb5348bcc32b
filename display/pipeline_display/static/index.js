/* The index: the five stages, the demos and the services as they are now.
 *
 * In:  the feeds `heartbeats`, `watch` (dead letters), `places` (queue and stores) and `audit`, and the demos' thumbnails.
 * Out: health, rates and lag per stage and per service, drawn once a second and when news come; a live picture per demo; the
 *      ledger against the stores.
 */

import { drawAudit } from "./audit.js";
import { offerCopy } from "./copy.js";
import { count, number, seconds } from "./format.js";
import { Link } from "./link.js";
import { Redraw } from "./redraw.js";
import { Services } from "./services.js";
import { State } from "./state.js";
import { Thumbnails } from "./thumbnails.js";

const STALE_S = 5;
const HEALTH_WORDS = { up: "healthy", unwell: "unwell", gone: "not answering", done: "finished", unknown: "no heartbeat lately" };
const WORSE_FIRST = ["gone", "unwell", "up", "done"];

const services = new Services();
const state = new State();
const redraw = new Redraw(draw);
const thumbnails = await Thumbnails.load(JSON.parse(document.body.dataset.page).demos);
let places = {};
let newestMs = -Infinity;

const link = new Link(["heartbeats", "watch", "places", "audit", ...thumbnails.feeds], {
  part: take,
  connection: (connection) => { state.connection = connection; redraw.request(); },
  extents: () => { state.isFollowing = true; },
  drawn: (after) => { redraw.request(); redraw.afterDrawing(after); },
  clock: () => redraw.request(),
});

function take(part, place) {
  const last = part.frames.at(-1);
  if (part.feed === "heartbeats") takeHeartbeats(part);
  if (part.feed === "watch" && last) document.querySelector("#letters").textContent = count(last.dead_letters, "record");
  if (part.feed === "places" && last) places = last;
  if (part.feed === "audit") drawAudit(last);
  thumbnails.take(part, place);
}

function takeHeartbeats(part) {
  state.away = part.status.away;
  for (const frame of part.frames) {
    services.take(frame.rows);
    state.hasRows = true;
    newestMs = Math.max(newestMs, ...frame.rows.map((row) => row.time_ns / 1e6));
  }
}

function draw() {
  const now = services.now(link.now());
  for (const card of document.querySelectorAll("#stages .step")) drawStage(card, now);
  drawServices(now);
  thumbnails.draw({ link, connection: state.connection, isFollowing: state.isFollowing });
  state.show(newestMs, (link.now() - newestMs) / 1000 > STALE_S);
}

function drawStage(card, now) {
  const { stage } = card.dataset;
  const here = now.filter((each) => each.stage === stage);
  const kept = Object.values(places[stage] ?? {});
  const told = here.length && !kept.length ? ofServices(here) : ofPlaces(kept);
  // The loader is a service among stores: their figures stand here, its own in the table, and either's trouble on both.
  if (kept.length) told.health = worst([told.health, ...here.map((each) => each.health)]);
  const isKnown = state.connection === "connected";
  if (stage === "queue") told.figures = figuresOfQueue(now);
  card.dataset.health = isKnown ? told.health : "unknown";
  card.querySelector(".health-word").textContent = isKnown ? HEALTH_WORDS[told.health] : "not known now";
  const pairs = d3.select(card).select("dl").selectAll("div").data(told.figures, ([name]) => name).join((enter) => {
    const pair = enter.append("div");
    pair.append("dt").text(([name]) => name);
    pair.append("dd");
    return pair;
  });
  pairs.select("dd").text(([, value]) => value);
}

function ofServices(here) {
  const newest = here.map((each) => each.newest);
  const figures = [
    ["in", `${rounded(d3.sum(here, (each) => each.inPerS))} /s`],
    ["out", `${rounded(d3.sum(here, (each) => each.outPerS))} /s`],
    ["lag", `${number(d3.sum(newest, (each) => each.lag))}`],
    ["latency", seconds(d3.median(newest.filter((each) => each.latency_s), (each) => each.latency_s))],
  ];
  return { health: worst(here.map((each) => each.health)), figures: here[0].stage === "input" ? figures.slice(1) : figures };
}

/** Queue and stores send no heartbeats; the display says how it finds them. A store that feeds several demos is told once. */
function ofPlaces(found) {
  if (!found.length) return { health: "unknown", figures: [] };
  const told = found.filter((each) => each.rate !== null);
  const rates = d3.rollups(told, (of) => `${rounded(d3.sum(of, (each) => each.rate))} ${of[0].unit}`, (each) => each.name);
  return { health: worst(found.map((each) => (each.away ? "gone" : "up"))), figures: rates };
}

/** What the producers say that they put in, and what the jobs say that they have not taken out. */
function figuresOfQueue(now) {
  const of = (stage) => now.filter((each) => each.stage === stage);
  return [
    ["in", `${rounded(d3.sum(of("input"), (each) => each.outPerS))} /s`],
    ["lag", number(d3.sum(of("processing"), (each) => each.newest.lag))],
  ];
}

function rounded(rate) {
  return number(Math.round(rate * 10) / 10);
}

function worst(healths) {
  return WORSE_FIRST.find((each) => healths.includes(each)) ?? "unknown";
}

function drawServices(now) {
  if (!now.length) return;
  const rows = d3.select("#services tbody").selectAll("tr").data(now, (each) => each?.service).join("tr").attr("data-service", (each) => each.service).attr("data-health", (each) => each.health);
  rows.selectAll("td").data(cellsOf).join("td").attr("class", (cell) => cell.className ?? null).text((cell) => cell.text);
}

function cellsOf({ service, health, inPerS, outPerS, newest }) {
  const rate = (value) => (value === null ? "–" : rounded(value));
  return [
    { text: service, className: "string" },
    { text: HEALTH_WORDS[health], className: "string health-cell" },
    ...[rate(inPerS), rate(outPerS), number(newest.lag), number(newest.late), number(newest.dead)].map((text) => ({ text })),
    { text: newest.latency_s ? seconds(newest.latency_s) : "–" },
    { text: newest.doing, className: "string doing" },
  ];
}

offerCopy(document.querySelector("#copy"), document.querySelector("#command"));
setInterval(() => redraw.request(), 1000);
redraw.request();
