/* A thumbnail of lines and bands over the last two minutes, for a demo's card on the index.
 *
 * In:  rows as they come, thinned by the server (see feeds/thinned.py); a row replaces the one with the same key.
 * Out: in an SVG of WIDTH by HEIGHT `path.line[data-name]` and `path.band[data-name]`, one for each group of rows; the
 *      datum is {name, group, points: rows}. `told` says the newest in words, for the card and for who does not see the picture.
 */

import { niceDomain } from "./panel.js";

export const WIDTH = 280;
export const HEIGHT = 80;
const EDGE = 3;
const SPAN_MS = 120_000;

export class Sparkline {
  /** `series`: [{name, className, value(row)} or {name, className, low(row), high(row)}]; `by(row)`: its group, a line each. */
  constructor(svg, { key, at, series, told, by = () => "", domain = null }) {
    Object.assign(this, { key, at, series, told, by, domain });
    this.svg = d3.select(svg);
    this.kept = new Map();
  }

  take(rows) {
    for (const row of rows) this.kept.set(this.key(row), row);
    const oldest = this.newestMs() - SPAN_MS;
    for (const [key, row] of this.kept) if (this.at(row) < oldest) this.kept.delete(key);
  }

  clear() {
    this.kept.clear();
  }

  /** When the newest of the rows was made, in ms; null without one. */
  newestMs() {
    return d3.max(this.kept.values(), this.at) ?? null;
  }

  text() {
    const rows = this.#rows();
    return rows.length ? this.told(rows.at(-1), rows) : "";
  }

  draw() {
    const rows = this.#rows();
    const newest = this.newestMs() ?? 0;
    const x = d3.scaleLinear([newest - SPAN_MS, newest], [EDGE, WIDTH - EDGE]);
    const y = d3.scaleLinear(this.domain ?? niceDomain(rows.flatMap((row) => this.#values(row))), [HEIGHT - EDGE, EDGE]);
    const at = (row) => x(this.at(row));
    const parts = [...d3.group(rows, this.by)].flatMap(([group, points]) => this.series.map((each) => ({ ...each, group, points })));
    const isBand = (part) => "low" in part;
    const area = (part) => d3.area().defined((row) => part.low(row) !== null).x(at).y0((row) => y(part.low(row))).y1((row) => y(part.high(row)))(part.points);
    const line = (part) => d3.line().defined((row) => part.value(row) !== null).x(at).y((row) => y(part.value(row)))(part.points);
    this.#join("band", parts.filter(isBand), area);
    this.#join("line", parts.filter((part) => !isBand(part)), line);
  }

  #rows() {
    return [...this.kept.values()].sort((a, b) => this.at(a) - this.at(b));
  }

  #values(row) {
    return this.series.flatMap((each) => ("low" in each ? [each.low(row), each.high(row)] : [each.value(row)])).filter((value) => value !== null);
  }

  #join(kind, parts, shape) {
    this.svg.selectAll(`path.${kind}`).data(parts, (part) => `${part.name} ${part.group}`).join("path").attr("class", (part) => `${kind} ${part.className}`).attr("data-name", (part) => part.name).attr("d", shape);
  }
}
