/* A scale's domain for data that flow: it grows at once, and shrinks only when most of it is empty, so that it stands still. */

import { niceDomain } from "./panel.js";

const USED_SHARE_MIN = 0.6;

export class Steady {
  #domain = null;

  /** A round domain that holds `low` and `high`; 0 to 1 while there are none. */
  of([low, high]) {
    if (low === undefined) return this.#domain ?? [0, 1];
    const [from, to] = this.#domain ?? [low, high];
    const isWithin = from <= low && high <= to;
    const isUsed = high - low >= USED_SHARE_MIN * (to - from);
    if (!this.#domain || !isWithin || !isUsed) this.#domain = niceDomain(isUsed ? [Math.min(low, from), Math.max(high, to)] : [low, high]);
    return this.#domain;
  }
}
