/* The path of a demo's data, stage by stage: health, rate, and a live sample record at each.
 *
 * In:  heartbeats, samples of the queue and of what jobs hold, the state of queue and stores, and the demo's own frames.
 * Out: the cards of `#path`. Samples change once a second at most, so that one can read them.
 */

import { count, number, seconds } from "./format.js";
import { Services } from "./services.js";

const SAMPLE_EVERY_MS = 1000;
const VALUE_SHOWN = 420;
const UNKNOWN = { health: "unknown", why: "not known now", rate: "" };
const HEALTH_WORDS = { up: "healthy", unwell: "unwell", gone: "not answering", done: "finished", unknown: "no heartbeat lately" };

export class Path {
  constructor(page) {
    this.page = page;
    this.services = new Services();
    this.cards = new Map([...document.querySelectorAll("#path .step")].map((card) => [card.dataset.stage, card]));
    this.samples = {};
    this.places = {};
    this.drawnAt = -Infinity;
  }

  takeHeartbeats(frames) {
    for (const frame of frames) this.services.take(frame.rows);
  }

  takeWatch(frames) {
    if (!frames.length || !this.page.job) return;
    this.#takeRecord(frames.at(-1).records[this.page.topic]);
    this.partial = parsed(frames.at(-1).samples[this.page.job]) ?? this.partial;
  }

  takePlaces(frames) {
    if (frames.length) this.places = frames.at(-1);
  }

  /** The demo's own frames: of a topic they bring the record with them, of a store the row. */
  takeFrame(part) {
    const frame = part.frames.at(-1);
    if (!frame) return;
    const row = frame.rows.at(-1);
    if (this.page.job) this.samples.row = withoutFrame(row);
    else this.#takeRecord(part.frames.findLast((each) => each.record)?.record);
    this.samples.frame = { feed: part.feed, epoch: part.epoch, seq: part.seq + part.frames.length - 1, table: frame.table, rows: frame.rows.length };
  }

  /** `now`: the server's time in ms; `isConnected`: whether what is known here is known now; `medianMs`: the page's latency. */
  draw(now, { isConnected, medianMs }) {
    this.medianMs = medianMs;
    if (now - this.drawnAt < SAMPLE_EVERY_MS) return;
    this.drawnAt = now;
    const services = this.services.now(now);
    // A job that computes all at once holds nothing to look at; what its service says is shown instead.
    this.samples.partial = this.partial ?? services.find((each) => this.#isOfTheWay(each, "processing"))?.newest;
    for (const [stage, card] of this.cards) this.#drawCard(card, isConnected ? this.#toldOf(stage, services) : UNKNOWN);
  }

  #takeRecord(record) {
    if (!record) return;
    this.samples.record = { ...record, value: short(record.value) };
    this.samples.event = lastEvent(record);
  }

  #drawCard(card, told) {
    if (!card.classList.contains("used")) return;
    card.dataset.health = told.health;
    setText(card.querySelector(".health-word"), told.why || HEALTH_WORDS[told.health] || "");
    setText(card.querySelector(".rate"), told.rate);
    const sample = this.samples[card.dataset.sample];
    setText(card.querySelector("pre"), sample ? JSON.stringify(sample, null, 1).replace(/^\{\n|\n\}$/g, "").replace(/^ /gm, "") : "none yet");
  }

  /** Another service of the stage may be there too, as that of tasks: this demo's data does not pass by it. */
  #isOfTheWay({ service, stage: its }, stage) {
    return its === stage && (stage === "input" ? service.endsWith(this.page.source) : service === stage);
  }

  #toldOf(stage, services) {
    const place = this.places[stage]?.[stage === "output" ? this.page.feed : "queue"];
    if (place) return { health: place.away ? "gone" : "up", why: place.away ? "not answering" : "", rate: place.rate === null ? "" : `${number(place.rate)} ${place.unit}` };
    const here = services.filter((each) => this.#isOfTheWay(each, stage));
    if (!here.length) return { health: "unknown", rate: "" };
    if (stage === "display" && this.medianMs) return { health: here[0].health, rate: `drawn after ${seconds(this.medianMs / 1000)}` };
    const { health, outPerS, newest } = here.find((each) => each.health !== "up") ?? here[0];
    if (health === "done") return { health, rate: "" };
    const rate = outPerS === null ? "" : `${count(Math.round(outPerS * 10) / 10, "event")}/s`;
    const parts = [rate, newest.lag ? `${count(newest.lag, "event")} behind` : "", newest.latency_s ? `after ${seconds(newest.latency_s)}` : ""];
    return { health, rate: parts.filter(Boolean).join(" · ") };
  }
}

function withoutFrame({ frame, ...row }) {
  return row;
}

function short(value) {
  return value.length > VALUE_SHOWN ? `${value.slice(0, VALUE_SHOWN)}…` : value;
}

/** The last whole line of the record's value, as the event that it is; a cut line is none. */
function lastEvent(record) {
  const lines = record.value.split("\n");
  const whole = record.value.length < record.value_bytes ? lines.slice(0, -1) : lines;
  const line = whole.filter((each) => each.trim()).at(-1);
  return parsed(line);
}

function parsed(line) {
  try {
    return line ? JSON.parse(line) : undefined;
  } catch {
    return undefined;
  }
}

function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}
