/* A form that sends one event, and the way of the last one sent: posted, answered, on the queue, in the table.
 *
 * In:  the event types with their fields, frames of the feed `sent` (see feeds/sent.py), how the loader stands.
 * Out: what is sent is JSON as typed: a number's digits go as they are, since 64 bits are more than a number here holds, and
 *      what is no number goes as a string, for the collector to refuse. `data-is` of a step: "open", "done", "failed".
 */

import { seconds } from "./format.js";

const INTEGER = /^-?\d+$/;

export class EventForm {
  #types;
  #send;
  #sent = null; // {id, told}

  /** `send(wish, answered(error, isTaken))` hands a wish to the server. */
  constructor(types, send) {
    this.#types = new Map(types.map((each) => [each.name, each]));
    this.#send = send;
    this.form = document.querySelector("#send");
    this.form.elements.event_name.addEventListener("change", () => this.#offerFields());
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.#submit(); });
    this.#offerFields();
  }

  /** Of the frames those about the event that was sent from here. */
  take(frames) {
    for (const told of frames) if (told.id === this.#sent?.id) this.#sent.told = told;
  }

  draw(standing) {
    if (!this.#sent) return;
    for (const [step, { is, text }] of Object.entries(wayOf(this.#sent, standing))) {
      const element = document.querySelector(`#way [data-step=${step}]`);
      element.dataset.is = is;
      element.querySelector(".way-told").textContent = text;
    }
  }

  #offerFields() {
    const { fields } = this.#types.get(this.form.elements.event_name.value);
    const labels = d3.select("#fields").selectAll("label").data(fields, (field) => field.name).join((enter) => {
      const label = enter.append("label").attr("class", "field").attr("title", (field) => field.doc);
      label.append("span").text((field) => field.name);
      label.append("input").attr("name", (field) => field.name).attr("autocomplete", "off").attr("value", exampleOf);
      return label;
    });
    labels.order();
  }

  #submit() {
    const type = this.form.elements.event_name.value;
    const id = newId();
    const fields = this.#types.get(type).fields.map((field) => [field.name, valueOf(field, this.form.elements[field.name].value)]);
    const pairs = [["event_name", JSON.stringify(type)], ...fields, ["id", JSON.stringify(id)]];
    const body = `{${pairs.map(([name, value]) => `${JSON.stringify(name)}: ${value}`).join(", ")}}`;
    this.#sent = { id, body, type, told: null };
    this.#say("");
    this.#send({ id, type, body }, (error, isTaken) => {
      if (error) this.#say("The page's server does not answer; send it again.");
      else if (!isTaken) this.#say("Too much is waiting to be sent, or it is too long; send it again.");
    });
    this.draw([]);
  }

  #say(text) {
    document.querySelector("#send-said").textContent = text;
  }
}

/** The four steps of an event, as far as is known. */
export function wayOf({ id, body, type, told }, standing) {
  const open = { is: "open", text: "" };
  const failed = (text) => ({ is: "failed", text });
  const sent = { is: "done", text: body };
  if (!told) return { sent, answered: { is: "open", text: "waiting" }, queued: open, loaded: open };
  if (!told.answered_ns) return { sent, answered: failed(told.trouble), queued: open, loaded: open };
  const answered = { is: isAccepted(told) ? "done" : "failed", text: `HTTP ${told.http} after ${seconds((told.answered_ns - told.sent_ns) / 1e9)}: ${told.reply}` };
  if (!isAccepted(told)) return { sent, answered, queued: failed("no: it was refused"), loaded: open };
  if (!told.queued) return { sent, answered, queued: failed(told.trouble || "not found; the queue may be behind"), loaded: open };
  const { partition, offset, append_time_ns: appendedNs } = told.queued;
  const queued = { is: "done", text: `partition ${partition}, offset ${offset}, ${seconds(Math.max(0, appendedNs - told.sent_ns) / 1e9)} after it was sent` };
  return { sent, answered, queued, loaded: loadedOf({ id, told }, standing.find((each) => each.type === type)) };
}

function isAccepted(told) {
  try {
    return told.http === 200 && JSON.parse(told.reply).status_code === 0;
  } catch {
    return false;
  }
}

function loadedOf({ id, told }, standing) {
  if (!standing) return { is: "open", text: "the loader has told nothing yet" };
  if (!(standing.reached[told.queued.partition] > told.queued.offset)) return { is: "open", text: "waiting for the next load" };
  const row = standing.newest.find((each) => each.event_id === id);
  return { is: "done", text: row ? rowTold(row) : "yes; other rows came after it" };
}

function rowTold(row) {
  return Object.entries(row).map(([name, value]) => `${name} ${typeof value === "string" ? JSON.stringify(value) : value}`).join(", ");
}

function valueOf(field, text) {
  return field.kind === "int64" && INTEGER.test(text) ? text : JSON.stringify(text);
}

function exampleOf(field) {
  if (field.name === "timestamp") return String(Math.floor(Date.now() / 1000));
  return field.kind === "int64" ? "888" : "have fun";
}

/** 128 random bits; `randomUUID` is there only on pages over HTTPS or from loopback. */
function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
