/* One redraw per animation frame, however many events came, and none where nothing of what is drawn changed. */

export class Redraw {
  #draw;
  #after = [];
  #isWanted = false;
  #isDue = false;

  constructor(draw) {
    this.#draw = draw;
  }

  /** Draw in the next frame. */
  request() {
    this.#isWanted = true;
    this.#wait();
  }

  /** Run `after` in the next frame, behind the drawing if one is due. */
  afterDrawing(after) {
    this.#after.push(after);
    this.#wait();
  }

  #wait() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => this.#run());
  }

  #run() {
    const [after, isWanted] = [this.#after, this.#isWanted];
    this.#after = [];
    this.#isDue = this.#isWanted = false;
    if (isWanted) this.#draw();
    for (const each of after) each();
  }
}
