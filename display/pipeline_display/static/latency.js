/* From an event's making to the frame that drew it: median and 99th percentile of the last minute.
 *
 * Above 65,536 events a minute it is of the last so many: to sort those takes 6 ms, twice a second.
 */

const KEPT_MS = 60_000;
const SAMPLES = 65_536;

export class Latency {
  #drawn = new Float64Array(SAMPLES);
  #waited = new Float64Array(SAMPLES);
  #end = 0;

  /** An event made at `madeMs` was drawn at `drawnMs`, both on the server's clock; that is known to some ms here, so no wait is below 0. */
  add(madeMs, drawnMs) {
    const place = this.#end++ % SAMPLES;
    this.#drawn[place] = drawnMs;
    this.#waited[place] = Math.max(0, drawnMs - madeMs);
  }

  /** {count, median, p99, isWhole} in ms; null while there is nothing. `isWhole`: the minute had no more events. */
  figures(nowMs) {
    const oldest = Math.max(0, this.#end - SAMPLES);
    let begin = this.#end;
    while (begin > oldest && this.#drawn[(begin - 1) % SAMPLES] >= nowMs - KEPT_MS) begin -= 1;
    const count = this.#end - begin;
    if (!count) return null;
    const sorted = this.#last(count).sort();
    return { count, median: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), isWhole: count < SAMPLES };
  }

  /** The last `count` waits, in any order. */
  #last(count) {
    const [from, to] = [(this.#end - count) % SAMPLES, this.#end % SAMPLES];
    if (from < to) return this.#waited.slice(from, to);
    const joined = new Float64Array(count);
    joined.set(this.#waited.subarray(from));
    joined.set(this.#waited.subarray(0, to), SAMPLES - from);
    return joined;
  }
}

/** The smallest value that `share` of all do not exceed. */
function quantile(sorted, share) {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
