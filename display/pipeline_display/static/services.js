/* The services as their heartbeats tell: who is there, what each does, how fast.
 *
 * In:  rows of the topic `heartbeats`, about one a second and service, some of them again; and the server's time.
 * Out: per service its newest figures, rates over its last heartbeats, and whether it still answers.
 */

const GONE_AFTER_MS = 5_000;
const FORGOTTEN_AFTER_MS = 600_000;
const RATE_OVER_MS = 5_000;
const FINISHED = "finished"; // how `doing` begins in the last heartbeat of a service that had an end and reached it

export class Services {
  #heartbeats = new Map();

  take(rows) {
    for (const row of rows) {
      const before = this.#heartbeats.get(row.service) ?? [];
      if (before.at(-1)?.time_ns >= row.time_ns) continue;
      const kept = before.filter((each) => each.producer === row.producer && each.time_ns > row.time_ns - RATE_OVER_MS * 1e6);
      this.#heartbeats.set(row.service, [...kept, row]);
    }
  }

  /** [{service, stage, health: "up" | "unwell" | "gone" | "done", inPerS, outPerS, newest}], by stage and name. */
  now(nowMs) {
    for (const [service, beats] of this.#heartbeats) {
      if (beats.at(-1).time_ns / 1e6 < nowMs - FORGOTTEN_AFTER_MS) this.#heartbeats.delete(service);
    }
    return [...this.#heartbeats.values()].map((beats) => figures(beats, nowMs)).sort((a, b) => a.service.localeCompare(b.service));
  }
}

function figures(beats, nowMs) {
  const [oldest, newest] = [beats[0], beats.at(-1)];
  const spanS = (newest.time_ns - oldest.time_ns) / 1e9;
  const rate = (name) => (spanS > 0 ? (newest[name] - oldest[name]) / spanS : null);
  const isDone = newest.doing.startsWith(FINISHED);
  const isGone = isDone || newest.time_ns / 1e6 < nowMs - GONE_AFTER_MS;
  return {
    service: newest.service,
    stage: newest.stage,
    health: isDone ? "done" : isGone ? "gone" : newest.healthy ? "up" : "unwell",
    inPerS: isGone ? 0 : rate("events_in"),
    outPerS: isGone ? 0 : rate("events_out"),
    newest,
  };
}
