/* One redraw per animation frame, however many events came. */

export class Redraw {
  #draw;
  #after = [];
  #isDue = false;

  constructor(draw) {
    this.#draw = draw;
  }

  /** Draw in the next frame; `after` runs once that is done. */
  request(after) {
    if (after) this.#after.push(after);
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => this.#run());
  }

  #run() {
    this.#isDue = false;
    const after = this.#after;
    this.#after = [];
    this.#draw();
    for (const each of after) each();
  }
}
