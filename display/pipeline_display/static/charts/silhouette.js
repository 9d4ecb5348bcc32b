/* The census on the index: the newest year's pyramid, a bar for each age, without axes.
 *
 * In:  rows of `census_population` of one year, all of them each time that they change.
 * Out: `rect.bar` with datum {name: sex, row}, men to the left; `text` says how many people of which year that is.
 */

import { number } from "../format.js";
import { HEIGHT, WIDTH } from "./sparkline.js";

const EDGE = 3;
const AGES = 101;
const SIDES = { male: { sign: -1, className: "c0" }, female: { sign: 1, className: "c1" } };

export class Silhouette {
  constructor(svg) {
    this.svg = d3.select(svg);
    this.rows = [];
  }

  take(rows) {
    this.rows = rows.filter((row) => row.sex in SIDES);
  }

  clear() {
    this.rows = [];
  }

  /** What was counted once does not age. */
  newestMs() {
    return null;
  }

  text() {
    return this.rows.length ? `${number(d3.sum(this.rows, (row) => row.people))} people in ${this.rows[0].year}` : "";
  }

  draw() {
    const height = (HEIGHT - 2 * EDGE) / AGES;
    const length = d3.scaleLinear([0, d3.max(this.rows, (row) => row.people) ?? 1], [0, WIDTH / 2 - EDGE]);
    this.svg.selectAll("rect.bar").data(this.rows.map((row) => ({ name: row.sex, row })), ({ row }) => `${row.sex} ${row.age}`).join("rect").attr("class", ({ name }) => `bar ${SIDES[name].className}`)
      .attr("x", ({ name, row }) => WIDTH / 2 - (SIDES[name].sign < 0 ? length(row.people) : 0)).attr("width", ({ row }) => length(row.people))
      .attr("y", ({ row }) => HEIGHT - EDGE - (row.age + 1) * height).attr("height", height);
  }
}
