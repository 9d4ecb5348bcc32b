/* Numbers in order of their time, each event once, in typed arrays: a million of them are 30 MB and quick to go through.
 *
 * In:  rows of the topic `random-numbers`, of any producers, in any order.
 * Out: times and values by index; a row again where one is asked for. What is older than the newest by `keptMs`, or more
 *      than ROWS_MAX, is forgotten.
 */

import { Seen } from "./seen.js";

export const ROWS_MAX = 600_000;
const START_ROWS = 16_384;
const OTHERS = "others";
const PRODUCERS_MAX = 65_535;
const NS_PER_MS = 1e6;

export class Stream {
  constructor({ keptMs }) {
    this.keptNs = keptMs * NS_PER_MS;
    this.clear();
  }

  clear() {
    this.seen = new Seen();
    this.producers = [OTHERS];
    this.numbers = new Map();
    this.begin = 0;
    this.end = 0;
    this.version = 0;
    this.waiting = [];
    this.#allocate(START_ROWS);
  }

  /** Rows wait here until somebody looks: however many frames came, they are put in order once. */
  take(rows) {
    for (const row of rows) if (this.seen.isNew(row.event_id)) this.waiting.push(row);
  }

  /** Put what waits in its place, forget what is too old or too much. */
  settle() {
    if (!this.waiting.length) return;
    const rows = this.waiting.sort((a, b) => a.time_ns - b.time_ns);
    this.waiting = [];
    this.#makeRoom(rows.length);
    this.#merge(rows);
    this.version += 1;
    this.begin = Math.max(this.begin, this.end - ROWS_MAX, this.#firstAfterNs(this.time_ns[this.end - 1] - this.keptNs));
  }

  get length() {
    return this.end - this.begin;
  }

  /** Whether the oldest were forgotten for want of room, not for their age. */
  get isFull() {
    return this.length === ROWS_MAX;
  }

  /** The index of the first number made after `ms`; `end` without one. */
  firstAfter(ms) {
    return this.#firstAfterNs(ms * NS_PER_MS);
  }

  timeMs(index) {
    return this.time_ns[index] / NS_PER_MS;
  }

  row(index) {
    const { time_ns, seq, value, frame } = this;
    return { time_ns: time_ns[index], producer: this.producers[this.producer[index]], seq: seq[index], value: value[index], frame: frame[index] };
  }

  #firstAfterNs(ns) {
    let [low, high] = [this.begin, this.end];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.time_ns[middle] <= ns) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** From the back: what is later than the last new row moves up, so numbers in order cost nothing but themselves. */
  #merge(rows) {
    let old = this.end - 1;
    let place = this.end + rows.length - 1;
    for (let next = rows.length - 1; next >= 0; place -= 1) {
      if (old >= this.begin && this.time_ns[old] > rows[next].time_ns) this.#move(old--, place);
      else this.#put(rows[next--], place);
    }
    this.end += rows.length;
  }

  #put(row, index) {
    this.time_ns[index] = row.time_ns;
    this.value[index] = row.value;
    this.seq[index] = row.seq;
    this.frame[index] = row.frame;
    this.producer[index] = this.#numberOf(row.producer);
  }

  #move(from, to) {
    for (const column of this.#columns()) column[to] = column[from];
  }

  /** A producer's place in `producers`; who comes when 16 bits are used up is one of the others. */
  #numberOf(producer) {
    if (!this.numbers.has(producer) && this.producers.length < PRODUCERS_MAX) {
      this.numbers.set(producer, this.producers.push(producer) - 1);
    }
    return this.numbers.get(producer) ?? 0;
  }

  /** Shift what is kept to the front, into larger arrays if it fills more than three quarters of these. */
  #makeRoom(rows) {
    const capacity = this.value.length;
    if (this.end + rows <= capacity) return;
    const [before, begin, end] = [this.#columns(), this.begin, this.end];
    if (end - begin + rows > 0.75 * capacity) this.#allocate(2 * Math.max(capacity, end - begin + rows));
    this.#columns().forEach((column, i) => column.set(before[i].subarray(begin, end)));
    [this.begin, this.end] = [0, end - begin];
  }

  #allocate(rows) {
    this.time_ns = new Float64Array(rows);
    this.value = new Float64Array(rows);
    this.seq = new Float64Array(rows);
    this.frame = new Uint32Array(rows);
    this.producer = new Uint16Array(rows);
  }

  #columns() {
    return [this.time_ns, this.value, this.seq, this.frame, this.producer];
  }
}
