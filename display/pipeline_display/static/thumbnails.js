/* The live pictures on the demos' cards: each drawn by the demo's own chart module, once a second at most.
 *
 * In:  the index's list of demos ({feed, chart, interval_s, missing}) and their feeds `NAME/thumbnail`, which bring a few rows
 *      a second whatever the demo's rate is.
 * Out: per card a picture, the newest in words, and `data-state` with its word: the same five states as the page's own.
 * A chart module that exports no `Thumbnail` has no picture, and its card tells the state all the same.
 */

import { browserNow } from "./link.js";
import { WORDS } from "./state.js";

const DRAW_EVERY_MS = 1_000;
const STALE_AFTER_INTERVALS = 3;
const THINNED_MS = 2_000;

export class Thumbnails {
  /** Loads the charts' modules; one that is broken is reported and leaves its card without a picture. */
  static async load(demos) {
    const modules = await Promise.all(demos.map((demo) => import(`./charts/${demo.chart}.js`).catch(noPicture)));
    return new Thumbnails(demos.map((demo, i) => new Card(demo, modules[i].Thumbnail)));
  }

  constructor(cards) {
    this.cards = new Map(cards.map((card) => [card.feed, card]));
    this.drawnMs = -Infinity;
  }

  get feeds() {
    return [...this.cards.keys()];
  }

  take(part, place) {
    this.cards.get(part.feed)?.take(part, place);
  }

  /** `isFollowing`: whether the server has said what there is. */
  draw({ link, connection, isFollowing }) {
    if (performance.now() - this.drawnMs < DRAW_EVERY_MS) return;
    this.drawnMs = performance.now();
    for (const card of this.cards.values()) card.draw(link, isFollowing || connection === "lost" ? connection : "connecting");
  }
}

class Card {
  constructor(demo, Thumbnail) {
    this.demo = demo;
    this.feed = `${demo.feed}/thumbnail`;
    this.element = document.querySelector(`.card[data-demo="${demo.feed}"]`);
    this.svg = this.element.querySelector(".thumbnail");
    this.picture = Thumbnail ? new Thumbnail(this.svg) : null;
    this.svg.toggleAttribute("hidden", !this.picture);
    this.away = "";
    this.hasRows = false;
    this.arrivedMs = -Infinity; // by the browser's clock
  }

  take(part, place) {
    if (part.start_over) this.picture?.clear();
    part.frames.forEach((frame, i) => {
      // Without a picture nobody here can tell a row's age, so its arrival counts.
      if (part.seq + i >= place.liveFrom || !this.picture) this.arrivedMs = browserNow();
      this.hasRows ||= frame.rows.length > 0;
      this.picture?.take(frame.rows);
    });
    this.away = part.status.away;
  }

  draw(link, connection) {
    this.picture?.draw();
    const state = this.#state(link, connection);
    this.element.dataset.state = state;
    setText(this.element.querySelector(".card-state-word"), WORDS[state]);
    setText(this.element.querySelector(".card-now"), this.picture?.text() || this.demo.missing || this.away);
  }

  #state(link, connection) {
    if (connection !== "connected") return connection;
    if (!this.hasRows) return "no-data";
    return this.away || this.#isOld(link) ? "stale" : "live";
  }

  /** A demo without an interval shows what stays as it is, so it does not grow old. */
  #isOld(link) {
    const newestMs = Math.max(link.at(this.arrivedMs), this.picture?.newestMs() ?? -Infinity);
    return this.demo.interval_s > 0 && link.now() - newestMs > STALE_AFTER_INTERVALS * this.demo.interval_s * 1000 + THINNED_MS;
  }
}

function noPicture(error) {
  reportError(error);
  return {};
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
