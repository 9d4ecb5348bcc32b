/* Rows of windows, as charts draw them: where a row lies in time, which of them still fill, when there was news.
 *
 * In:  rows with `window_start_ns`, `window_end_ns` and `newest_event_ns`, which is null for a window of late events only.
 */

import { timeOfDay } from "../format.js";

const NS_PER_MS = 1e6;

/** The middle of a window, in ms: where its figures are drawn. */
export function at(row) {
  return (row.window_start_ns + row.window_end_ns) / 2 / NS_PER_MS;
}

/** The window's bounds in ms. */
export function bounds(row) {
  return { from: row.window_start_ns / NS_PER_MS, to: row.window_end_ns / NS_PER_MS };
}

export function boundsInWords(row) {
  const { from, to } = bounds(row);
  return `${timeOfDay(from)} – ${timeOfDay(to)}`;
}

/** When the newest event of `rows` was made, in ms; null without one. */
export function newestEventMs(rows) {
  const newestNs = d3.max(rows, (row) => row.newest_event_ns);
  return newestNs === undefined ? null : newestNs / NS_PER_MS;
}

/** Rows in order of time, of which a view of `spanS` up to the newest shows the last; one more, so that lines reach the edge. */
export function inView(rows, spanS) {
  const end = rows.length ? bounds(rows.at(-1)).to : Date.now();
  const start = end - spanS * 1000;
  return { shown: rows.slice(Math.max(0, d3.bisector(at).left(rows, start) - 1)), xDomain: [start, end] };
}

/** Where those begin that still fill: a window is complete when it ended before the newest event. */
export function firstOpen(rows) {
  return d3.bisector((row) => bounds(row).to).right(rows, newestEventMs(rows) ?? -Infinity);
}

/** A line or band in two parts: the windows that are complete, and the way to those from `firstOpen` on that are not. */
export function parts(name, className, rows, { firstOpen, ...of }) {
  return [
    { name, className, points: rows.slice(0, firstOpen), at, ...of },
    { name: `${name}-open`, className: `${className} open`, points: rows.slice(Math.max(0, firstOpen - 1)), at, ...of },
  ];
}

/** A mean with its standard deviation on both sides, by the names of their columns. */
export function spreadOf(mean, deviation) {
  return { low: (row) => (row[mean] === null ? null : row[mean] - row[deviation]), high: (row) => row[mean] + row[deviation] };
}

/** Tells events that are new from windows that were only written again, or that share an event. */
export class News {
  #soFarMs = -Infinity;

  /** When the event was made that is new in this row, in ms; null where none is. */
  ms(row) {
    const madeMs = newestEventMs([row]);
    if (madeMs === null || madeMs <= this.#soFarMs) return null;
    this.#soFarMs = madeMs;
    return madeMs;
  }
}
