/* What the collector's processes took and refused, as totals and rates.
 *
 * In:  rows of the topic `event-counts`: of one process, client, type and outcome the count since the process began.
 * Out: {accepted, refused}: [{client, type, outcome, events, perS}] over all processes that were heard of lately, the most first.
 */

const ACCEPTED = "accepted";
const RATE_OVER_MS = 5_000;
const TOLD_EVERY_NS = 1e9;
const FORGOTTEN_AFTER_MS = 600_000;

export class EventCounts {
  #rows = new Map();

  /** `openedMs`: when the page began to follow; a count that is first told after that began with 0. */
  take(rows, openedMs) {
    for (const row of rows) {
      const key = JSON.stringify([row.producer, row.client, row.type, row.outcome]);
      const before = this.#rows.get(key) ?? (row.time_ns / 1e6 > openedMs ? [{ ...row, events: 0, time_ns: row.time_ns - TOLD_EVERY_NS }] : []);
      if (before.at(-1)?.time_ns >= row.time_ns) continue;
      this.#rows.set(key, [...since(before, row.time_ns / 1e6 - RATE_OVER_MS), row]);
    }
  }

  now(nowMs) {
    for (const [key, rows] of this.#rows) {
      if (rows.at(-1).time_ns / 1e6 < nowMs - FORGOTTEN_AFTER_MS) this.#rows.delete(key);
    }
    const told = [...this.#rows.values()].map((rows) => ({ ...rows.at(-1), perS: rate(rows, nowMs) }));
    const summed = d3.rollups(told, (of) => ({ ...of[0], events: d3.sum(of, (row) => row.events), perS: d3.sum(of, (row) => row.perS) }), (row) => JSON.stringify([row.client, row.type, row.outcome]));
    const all = d3.sort(summed.map(([, each]) => each), (each) => -each.events);
    return { accepted: all.filter((each) => each.outcome === ACCEPTED), refused: all.filter((each) => each.outcome !== ACCEPTED) };
  }
}

/** The rows from then on, and the last before: a count that stood still was told before it went on. */
function since(rows, ms) {
  const first = rows.findLastIndex((row) => row.time_ns / 1e6 <= ms);
  return rows.slice(Math.max(0, first));
}

/** Over the last seconds; what was not told anew has not changed. */
function rate(rows, nowMs) {
  const kept = since(rows, nowMs - RATE_OVER_MS);
  const [oldest, newest] = [kept[0], kept.at(-1)];
  const spanS = (Math.max(newest.time_ns / 1e6, nowMs) - Math.max(oldest.time_ns / 1e6, nowMs - RATE_OVER_MS)) / 1000;
  return spanS > 0 ? (newest.events - oldest.events) / spanS : 0;
}
