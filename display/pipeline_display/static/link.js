/* The page's connection: what it follows, where it is in each feed, and the server's clock.
 *
 * In:  feed names; `news` messages {parts: [{feed, epoch, seq, frames, start_over, status}]}.
 * Out: callbacks with frames in order, each once; after a reconnection the server goes on at the place given here.
 * Messages are acknowledged after the next draw, so a browser that cannot keep up is sent less, not more.
 */

import { withRows } from "./frames.js";

const CLOCK_EVERY_MS = 10_000;
const CLOCK_SAMPLES = 12;
const FIRST_SAMPLES_EVERY_MS = 150;
/** Messages that are acknowledged together, half of what may be under way: each acknowledgement costs the server more than a message. */
const DRAWN_TOGETHER = 2;
const OPTIONS = {
  transports: ["websocket", "polling"],
  tryAllTransports: true,
  timeout: 5000,
  reconnectionDelay: 200,
  reconnectionDelayMax: 1500,
};

export class Link {
  /** `on`: {part(part, place), connection(state), extents(list), drawn(redraw), clock()}; `clock` once the server's time is known better. */
  constructor(feeds, on) {
    this.places = new Map(feeds.map((feed) => [feed, { epoch: "", seq: 0, liveFrom: Infinity, breaks: 0 }]));
    this.on = on;
    this.clockSamples = [];
    this.wasConnected = false;
    this.drawn = 0;
    this.socket = io(OPTIONS);
    this.socket.on("connect", () => this.#connected());
    this.socket.on("disconnect", () => this.on.connection("lost"));
    this.socket.on("connect_error", () => this.on.connection(this.wasConnected ? "lost" : "connecting"));
    this.socket.on("news", (message) => this.#news(message));
    setInterval(() => this.#askClock(), CLOCK_EVERY_MS);
  }

  /** The server's time in ms since the epoch, as well as it is known. */
  now() {
    return this.at(browserNow());
  }

  /** What was the server's time when the browser's was `browserMs`, as well as it is known now. */
  at(browserMs) {
    return browserMs + this.offset();
  }

  /** Whether the server has told its time; until then `now` is the browser's. */
  get knowsTime() {
    return this.clockSamples.length > 0;
  }

  /** Server's clock minus the browser's, in ms: of the quickest answer, which was held up least. */
  offset() {
    if (!this.clockSamples.length) return 0;
    return this.clockSamples.reduce((best, sample) => (sample.roundTrip < best.roundTrip ? sample : best)).offset;
  }

  #connected() {
    this.wasConnected = true;
    this.drawn = 0;
    this.on.connection("connected");
    this.clockSamples = [];
    for (let i = 0; i < CLOCK_SAMPLES; i++) setTimeout(() => this.#askClock(), i * FIRST_SAMPLES_EVERY_MS);
    const wishes = [...this.places].map(([feed, place]) => ({ feed, epoch: place.epoch, seq: place.seq }));
    this.socket.emit("follow", wishes, (extents) => this.#extents(extents ?? []));
  }

  #extents(extents) {
    for (const extent of extents) {
      const place = this.places.get(extent.feed);
      if (place.epoch !== extent.epoch || place.liveFrom === Infinity) place.liveFrom = extent.end;
    }
    this.on.extents(extents);
  }

  #news(message) {
    const connection = this.socket.id;
    for (const part of message.parts) this.#part(part);
    this.on.drawn(() => {
      if (this.socket.connected && this.socket.id === connection) this.#acknowledge();
    });
  }

  #acknowledge() {
    this.drawn += 1;
    if (this.drawn < DRAWN_TOGETHER) return;
    this.socket.emit("drawn", this.drawn);
    this.drawn = 0;
  }

  #part(part) {
    const place = this.places.get(part.feed);
    const follows = part.epoch === place.epoch ? part.seq === place.seq : part.seq === 0 || place.epoch === "";
    if (!follows && !part.start_over) place.breaks += 1;
    place.epoch = part.epoch;
    place.seq = part.seq + part.frames.length;
    this.on.part({ ...part, frames: part.frames.map(withRows) }, place);
  }

  #askClock() {
    if (!this.socket.connected) return;
    const asked = browserNow();
    this.socket.emit("clock", (serverNs) => {
      const answered = browserNow();
      this.clockSamples.push({ roundTrip: answered - asked, offset: serverNs / 1e6 - (asked + answered) / 2 });
      this.clockSamples = this.clockSamples.slice(-CLOCK_SAMPLES);
      this.on.clock();
    });
  }
}

/** The browser's time, in ms since the epoch with fractions; `Date.now` has none. */
export function browserNow() {
  return performance.timeOrigin + performance.now();
}
