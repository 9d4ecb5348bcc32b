/* Replays of a task: which recordings there are, one that is made, a replay that is begun, and what the chosen one came to.
 *
 * In:  frames of the feed `task`: {recordings, replays, replay, replay_outputs, replay_alerts}.
 * Out: `chosen`, the id of the replay that the page looks at; a wish for each that is started.
 */

import { HttpOuts } from "./http_outs.js";
import { count, dateAndTime, number, timeWithMs } from "./format.js";

const RECORDED_S = 30;
const DAY_MS = 86_400_000;

export class Replays {
  /** `send(wish, answered)`; `look()` is called when another replay is chosen. */
  constructor(taskId, redraw, { send, look }) {
    this.chosen = "";
    this.taskId = taskId;
    this.look = look;
    this.form = document.querySelector("#replay");
    this.select = document.querySelector("#replays");
    this.outs = new HttpOuts(document.querySelector("#replay-outputs"), redraw);
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.#start(send); });
    document.querySelector("#record").addEventListener("click", () => this.#record(send));
    this.select.addEventListener("change", () => this.#choose(this.select.value));
  }

  take(frame) {
    this.#offer(this.form.elements.recording, frame.recordings.filter((each) => each.status !== "failed"), recorded, "there is no recording yet");
    this.form.querySelector("button").disabled = !frame.recordings.length;
    this.#offer(this.select, frame.replays, (each) => `${each.id}, ${each.status}, ${dateAndTime(Date.parse(each.date))}`, "none");
    document.querySelector("#replay-choice").hidden = !frame.replays.length;
    if (!this.chosen && frame.replays.length) this.#choose(frame.replays[0].id);
    this.select.value = this.chosen;
    if (frame.replay_id !== this.chosen) return;
    if (frame.replay) document.querySelector("#replay-status").textContent = standing(frame.replay);
    this.outs.take(frame.replay_outputs);
    drawAlerts(frame.replay_alerts);
  }

  draw() {
    this.outs.draw();
  }

  #start(send) {
    const { recording, clock } = this.form.elements;
    this.#say("Being started …");
    send({ do: "replay", task: this.taskId, recording: recording.value, clock: clock.value }, ({ error, told }) => {
      this.#say(error || `${told.id} was started.`);
      if (!error) this.#choose(told.id);
    });
  }

  #record(send) {
    this.#say("Asked …");
    send({ do: "record", task: this.taskId, seconds: RECORDED_S }, ({ error, told }) => this.#say(error || `${told.id} is being recorded.`));
  }

  #choose(id) {
    if (id === this.chosen) return;
    this.chosen = id;
    this.outs.clear();
    document.querySelector("#replay-alerts").hidden = true;
    document.querySelector("#replay-status").textContent = "";
    this.look();
  }

  /** What can be chosen, without moving a choice that was made. */
  #offer(select, each, text, none) {
    const options = each.length ? each.map((one) => ({ value: one.id, text: text(one) })) : [{ value: "", text: none }];
    d3.select(select).selectAll("option").data(options, function key(option) { return option?.value ?? this.value; }).join("option").attr("value", (option) => option.value).text((option) => option.text);
  }

  #say(text) {
    document.querySelector("#replay-said").textContent = text;
  }
}

/** The first ones, in the order of the points that caused them. */
function drawAlerts({ total = 0, alerts = [], error = "" }) {
  document.querySelector("#replay-alerts").hidden = false;
  const all = alerts.length < total ? `The first ${number(alerts.length)} of ${number(total)}` : count(total, "alert");
  document.querySelector("#replay-alerts-note").textContent = error || (total ? `${all}, at the times of the points; they were sent to nobody.` : "None.");
  const rows = d3.select("#replay-alerts tbody").selectAll("tr").data(alerts).join("tr").attr("data-alert", (each) => each.id);
  const cells = (each) => [timeOf(Date.parse(each.time)), each.level, each.previousLevel, each.id, each.message, each.alert];
  rows.selectAll("td").data(cells).join("td").attr("class", (_, i) => (i === 0 ? null : i === 4 ? "string doing" : "string")).each(function draw(text, i) {
    if (i !== 1 && i !== 2) d3.select(this).text(text);
    else d3.select(this).selectAll("span").data([text]).join("span").attr("class", "level").attr("data-level", text).text(text);
  });
}

function timeOf(ms) {
  return Math.abs(Date.now() - ms) < DAY_MS ? timeWithMs(ms) : dateAndTime(ms);
}

function recorded({ id, status, size, date }) {
  return `${id}, ${status === "running" ? "being recorded" : `${number(size)} bytes`}, ${dateAndTime(Date.parse(date))}`;
}

function standing({ id, status, progress, error, recording }) {
  if (status === undefined) return `${id}: ${error}`;
  const share = status === "running" ? `, ${number(Math.round(100 * progress))} %` : "";
  return `${id}${recording ? ` of ${recording}` : ""}: ${status}${share}${error ? `: ${error}` : ""}`;
}
