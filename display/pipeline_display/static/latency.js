/* From an event's making to the frame that drew it: median and 99th percentile of the last minute. */

const KEPT_MS = 60_000;

export class Latency {
  #samples = [];

  /** An event made at `madeMs` was drawn at `drawnMs`, both on the server's clock. */
  add(madeMs, drawnMs) {
    this.#samples.push({ at: drawnMs, ms: drawnMs - madeMs });
  }

  /** {count, median, p99} in ms; null while there is nothing. */
  figures(nowMs) {
    while (this.#samples.length && this.#samples[0].at < nowMs - KEPT_MS) this.#samples.shift();
    if (!this.#samples.length) return null;
    const sorted = this.#samples.map((sample) => sample.ms).sort((a, b) => a - b);
    return { count: sorted.length, median: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
  }
}

/** The smallest value that `share` of all do not exceed. */
function quantile(sorted, share) {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
