/* The page's connection: what it follows, where it is in each feed, and the server's clock.
 *
 * In:  feed names; `news` messages {parts: [{feed, epoch, seq, frames, start_over, status}]}.
 * Out: callbacks with frames in order, each once; after a reconnection the server goes on at the place given here.
 * A message is acknowledged after the next draw, so a browser that cannot keep up is sent less, not more.
 */

const CLOCK_EVERY_MS = 10_000;
const CLOCK_SAMPLES = 8;
const OPTIONS = {
  transports: ["websocket", "polling"],
  tryAllTransports: true,
  timeout: 5000,
  reconnectionDelay: 200,
  reconnectionDelayMax: 1500,
};

export class Link {
  /** `on`: {part(part, isLive), connection(state), extents(list), drawn(redraw)} */
  constructor(feeds, on) {
    this.places = new Map(feeds.map((feed) => [feed, { epoch: "", seq: 0, liveFrom: Infinity, breaks: 0 }]));
    this.on = on;
    this.clockSamples = [];
    this.wasConnected = false;
    this.socket = io(OPTIONS);
    this.socket.on("connect", () => this.#connected());
    this.socket.on("disconnect", () => this.on.connection("lost"));
    this.socket.on("connect_error", () => this.on.connection(this.wasConnected ? "lost" : "connecting"));
    this.socket.on("news", (message) => this.#news(message));
    setInterval(() => this.#askClock(), CLOCK_EVERY_MS);
  }

  /** The server's time in ms since the epoch, as well as it is known. */
  now() {
    return browserNow() + this.offset();
  }

  /** Server's clock minus the browser's, in ms: of the quickest answer, which was held up least. */
  offset() {
    if (!this.clockSamples.length) return 0;
    return this.clockSamples.reduce((best, sample) => (sample.roundTrip < best.roundTrip ? sample : best)).offset;
  }

  #connected() {
    this.wasConnected = true;
    this.on.connection("connected");
    this.clockSamples = [];
    for (let i = 0; i < 4; i++) setTimeout(() => this.#askClock(), i * 60);
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
      if (this.socket.connected && this.socket.id === connection) this.socket.emit("drawn");
    });
  }

  #part(part) {
    const place = this.places.get(part.feed);
    const follows = part.epoch === place.epoch ? part.seq === place.seq : part.seq === 0 || place.epoch === "";
    if (!follows && !part.start_over) place.breaks += 1;
    place.epoch = part.epoch;
    place.seq = part.seq + part.frames.length;
    this.on.part(part, place);
  }

  #askClock() {
    if (!this.socket.connected) return;
    const asked = browserNow();
    this.socket.emit("clock", (serverNs) => {
      const answered = browserNow();
      this.clockSamples.push({ roundTrip: answered - asked, offset: serverNs / 1e6 - (asked + answered) / 2 });
      this.clockSamples = this.clockSamples.slice(-CLOCK_SAMPLES);
    });
  }
}

/** Ms since the epoch with fractions; `Date.now` has none. */
function browserNow() {
  return performance.timeOrigin + performance.now();
}
