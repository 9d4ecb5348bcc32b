/* The year that a chart shows: a slider, and a button that plays the years one after the other.
 *
 * Nothing plays by itself. Whoever asked their system for less motion gets the same steps; what would glide between them
 * is still, by the style sheet.
 */

const STEP_MS = 500;

export class YearControl {
  #years = [];
  #timer = null;

  /** `onYear(year)`: another one was chosen, by hand or by playing. */
  constructor(host, { onYear }) {
    this.onYear = onYear;
    const controls = d3.select(host).insert("div", ".readout").attr("class", "years");
    this.button = controls.append("button").attr("type", "button").attr("id", "play").property("disabled", true).text("Play").on("click", () => this.#toggle());
    const label = controls.append("label").attr("class", "year");
    label.append("span").text("Year");
    this.slider = label.append("input").attr("type", "range").attr("id", "year").attr("step", 1).property("disabled", true);
    this.slider.on("input", (event) => { this.#pause(); this.choose(Number(event.target.value)); });
    // The slider says its value itself; while the years play, nobody wants to hear each.
    this.said = label.append("output").attr("for", "year").attr("aria-live", "off");
  }

  /** The years there are, ascending; none leaves those of before. The first is chosen at first. */
  offer(years) {
    if (!years.length || years.join() === this.#years.join()) return;
    this.#years = years;
    this.slider.attr("min", years[0]).attr("max", years.at(-1)).property("disabled", false);
    this.button.property("disabled", years.length < 2);
    this.#show(years.includes(this.year) ? this.year : years[0]);
  }

  /** The nearest year to `year` that there is. */
  choose(year) {
    if (!this.#years.length) return;
    const nearest = d3.least(this.#years, (each) => Math.abs(each - year));
    if (nearest === this.year) return;
    this.#show(nearest);
    this.onYear(nearest);
  }

  /** The year so many steps further; it stays at the ends. By hand, so playing ends. */
  step(steps) {
    this.#pause();
    this.#move(steps);
  }

  #move(steps) {
    const at = this.#years.indexOf(this.year) + steps;
    this.choose(this.#years[Math.max(0, Math.min(this.#years.length - 1, at))]);
  }

  #show(year) {
    this.year = year;
    this.slider.property("value", year);
    this.said.text(year);
  }

  #toggle() {
    if (this.#timer) return this.#pause();
    if (this.year === this.#years.at(-1)) this.choose(this.#years[0]);
    this.#timer = setInterval(() => this.#tick(), STEP_MS);
    this.button.text("Pause");
  }

  #tick() {
    this.#move(1);
    if (this.year === this.#years.at(-1)) this.#pause();
  }

  #pause() {
    clearInterval(this.#timer);
    this.#timer = null;
    this.button.text("Play");
  }
}
