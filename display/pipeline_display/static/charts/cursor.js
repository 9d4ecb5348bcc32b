/* The crosshair that all panels of a chart share: where it stands, by pointer or by arrow keys. */

export class Cursor {
  #ms = null;

  /** `rows()`: what is drawn, by time; `at(row)`: its time in ms; `moved()`: draw again. */
  constructor({ rows, at, moved }) {
    this.rows = rows;
    this.at = at;
    this.moved = moved;
    this.onCursor = (ms) => this.#move(ms);
    this.onStep = (step) => this.#step(step);
  }

  /** The row nearest to the crosshair, null without one. */
  row() {
    const rows = this.rows();
    return this.#ms === null || !rows.length ? null : rows[d3.bisector(this.at).center(rows, this.#ms)];
  }

  #move(ms) {
    this.#ms = ms;
    this.moved();
  }

  #step(step) {
    const rows = this.rows();
    if (!rows.length) return;
    const now = this.#ms === null ? rows.length : d3.bisector(this.at).center(rows, this.#ms);
    this.#move(this.at(rows[Math.max(0, Math.min(rows.length - 1, now + step))]));
  }
}
