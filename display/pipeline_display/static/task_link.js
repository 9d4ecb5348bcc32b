/* What the pages of tasks ask of their server beside news: to look at something, and to have something done.
 *
 * In:  the page's Link, what is looked at now ({task, replay} or {}), wishes, and frames of the feed `answers`.
 * Out: looks, repeated while the page is visible; of each wish its answer {status, error, told}, once.
 */

const LOOK_EVERY_MS = 2_000;
const TAKEN_WITHIN_MS = 3_000;

export class TaskLink {
  #open = new Map(); // of each wish that is under way, what is to be called with its answer

  /** `look()`: what is looked at. */
  constructor(link, look) {
    this.link = link;
    this.look = look;
    setInterval(() => this.lookNow(), LOOK_EVERY_MS);
    document.addEventListener("visibilitychange", () => this.lookNow());
  }

  lookNow() {
    if (!document.hidden && this.link.socket.connected) this.link.socket.emit("look", this.look());
  }

  /** `wish`: {do, task, ..}; `answered({status, error, told})`, with status 0 where nobody answered. */
  send(wish, answered) {
    const id = newId();
    this.#open.set(id, answered);
    this.link.socket.timeout(TAKEN_WITHIN_MS).emit("wish", { ...wish, id }, (error, isTaken) => {
      if (error) this.#close({ id, status: 0, error: "The page's server does not answer; try again." });
      else if (!isTaken) this.#close({ id, status: 0, error: "Too much is under way, or the script is too long; try again." });
    });
  }

  /** Frames of the feed `answers`. */
  take(frames) {
    for (const answer of frames) this.#close(answer);
    if (frames.length) this.lookNow();
  }

  #close(answer) {
    const answered = this.#open.get(answer.id);
    this.#open.delete(answer.id);
    answered?.(answer);
  }
}

/** 128 random bits; `randomUUID` is there only on pages over HTTPS or from loopback. */
function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
