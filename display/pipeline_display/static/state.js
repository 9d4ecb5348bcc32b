/* Which of five states the page is in, and how it says so: a word, a sentence, a look of its own.
 *
 * In:  the connection, what the feed says of itself, the age of the newest data.
 * Out: `data-state` on the body, and the badge's text, announced politely when the state changes.
 */

import { timeOfDay } from "./format.js";

export const WORDS = { connecting: "Connecting", live: "Live", lost: "Connection lost", "no-data": "No data yet", stale: "Stale" };

export class State {
  constructor() {
    this.connection = "connecting";
    this.hasRows = false;
    this.isFollowing = false;
    this.away = "";
    this.missing = "";
    this.waiting = "Connected. The chart begins with the first record.";
    this.word = document.querySelector("#state-word");
    this.text = document.querySelector("#state-text");
  }

  /** `newestMs`: when there was news last; `isOld`: whether that is too long ago. */
  show(newestMs, isOld) {
    const state = this.#state(isOld);
    document.body.dataset.state = state;
    setText(this.word, WORDS[state]);
    setText(this.text, this.#sentence(state, newestMs));
  }

  #state(isOld) {
    if (this.connection === "lost") return "lost";
    if (this.connection === "connecting" || !this.isFollowing) return "connecting";
    if (!this.hasRows) return "no-data";
    return this.away || isOld ? "stale" : "live";
  }

  #sentence(state, newestMs) {
    switch (state) {
      case "connecting":
        return "Looking for the server.";
      case "lost":
        return "Trying to reach the server again. What is drawn is what was known before.";
      case "no-data":
        return this.missing || this.away || this.waiting;
      case "stale":
        return this.away || `Nothing new since ${timeOfDay(newestMs)}. The chart shows what was known before.`;
      default:
        return "Drawn as it arrives.";
    }
  }
}

/** Only a change is written: a screen reader announces each. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
