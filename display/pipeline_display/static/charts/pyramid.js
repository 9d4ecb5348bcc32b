/* A population pyramid: a bar for each year of age, men to the left, women to the right, with the mean age of each.
 *
 * In:  the year's rows by age, its mean ages, and the most people that any bar of any year stands for, so that bars can
 *      be compared while the year changes.
 * Out: `rect.bar` with datum {name: sex, row}, and for each sex `line.mean` and `rect.spread` (± 1 standard deviation)
 *      with datum {name, row}.
 */

import { number, years } from "../format.js";
import { addFigure } from "./chips.js";

const HEIGHT = 560;
const WIDTH_MIN = 120; // below that the page is not laid out yet
const MARGIN = { top: 26, right: 14, bottom: 42, left: 52 };
const AGE_MAX = 100;
const SIDES = { male: { sign: -1, className: "c0", title: "Male" }, female: { sign: 1, className: "c1", title: "Female" } };
const LABEL = "Population by age and sex; up and down arrow read single ages, the table below has them all";

export class Pyramid {
  constructor(host, { redraw }) {
    const { chips, plot } = addFigure(host, { title: "People by age and sex", isWide: false });
    this.said = chips.append("output").attr("class", "said");
    this.redraw = redraw;
    this.age = null;
    this.width = plot.clientWidth;
    new ResizeObserver(([entry]) => { this.width = Math.floor(entry.contentRect.width); }).observe(plot);
    this.svg = d3.select(plot).append("svg").attr("class", "panel pyramid").attr("tabindex", 0).attr("role", "img").attr("aria-label", LABEL);
    this.grid = this.svg.append("g").attr("class", "grid");
    this.axes = { x: this.svg.append("g").attr("class", "axis x"), y: this.svg.append("g").attr("class", "axis y") };
    this.marks = this.svg.append("g").attr("class", "marks");
    this.titles = this.svg.append("g");
    this.x = d3.scaleLinear();
    this.y = d3.scaleLinear().domain([0, AGE_MAX + 1]);
    this.svg.on("pointermove", (event) => this.#read(this.y.invert(d3.pointer(event)[1])));
    this.svg.on("pointerleave", () => this.#read(null));
    this.svg.on("keydown", (event) => this.#onKey(event));
  }

  draw({ year, rows, means, peopleMax }) {
    if (!rows.length || this.width < WIDTH_MIN) return;
    this.#layOut(peopleMax, year);
    this.#drawBars(rows);
    this.#drawMeans(means.filter((row) => row.sex in SIDES));
    this.said.text(this.#told(rows, means));
  }

  #layOut(peopleMax, year) {
    const inner = (this.inner = { left: MARGIN.left, right: this.width - MARGIN.right, top: MARGIN.top, bottom: HEIGHT - MARGIN.bottom });
    this.svg.attr("viewBox", `0 0 ${this.width} ${HEIGHT}`).attr("width", this.width).attr("height", HEIGHT);
    this.x.domain([-peopleMax, peopleMax]).range([inner.left, inner.right]);
    this.y.range([inner.bottom, inner.top]);
    const ages = d3.range(0, AGE_MAX + 1, 10);
    const ticks = this.x.ticks(this.width < 420 ? 4 : 8);
    this.axes.x.attr("transform", `translate(0,${inner.bottom})`).call(d3.axisBottom(this.x).tickValues(ticks).tickFormat((people) => number(Math.abs(people) / 1000)).tickSize(4).tickPadding(6));
    this.axes.y.attr("transform", `translate(${inner.left},0)`).call(d3.axisLeft(this.y).tickValues(ages).tickFormat(ageText).tickSize(0).tickPadding(8));
    this.grid.selectAll("line").data(ages).join("line").attr("x1", inner.left).attr("x2", inner.right).attr("y1", this.y).attr("y2", this.y);
    this.#drawTitles(year);
  }

  #drawTitles(year) {
    const { left, right, top, bottom } = this.inner;
    const titles = [
      { className: "axis-title", x: (left + right) / 2, y: HEIGHT - 4, text: "people of each year of age (thousands)" },
      { className: "axis-title", turn: `translate(13,${(top + bottom) / 2}) rotate(-90)`, text: "age (years)" },
      ...Object.values(SIDES).map(({ sign, className, title }) => ({ className: `label side ${className}`, x: (left + right) / 2 + (sign * (right - left)) / 4, y: top - 10, text: title })),
      { className: "year-shown", x: right, y: top + 34, text: year },
    ];
    this.titles.selectAll("text").data(titles).join("text").attr("class", (each) => each.className).attr("x", (each) => each.x ?? null).attr("y", (each) => each.y ?? null).attr("transform", (each) => each.turn ?? null).text((each) => each.text);
  }

  #drawBars(rows) {
    const height = Math.max(1, this.y(0) - this.y(1) - 0.75);
    const bars = rows.filter((row) => row.sex in SIDES).map((row) => ({ name: row.sex, row }));
    const width = ({ row }) => this.x(row.people) - this.x(0);
    this.marks.selectAll("rect.bar").data(bars, ({ row }) => `${row.sex} ${row.age}`).join("rect")
      .attr("class", ({ name, row }) => `bar ${SIDES[name].className}${row.age === this.age ? " told" : ""}`)
      .attr("x", (bar) => this.x(0) - (SIDES[bar.name].sign < 0 ? width(bar) : 0)).attr("width", width)
      .attr("y", ({ row }) => this.y(row.age + 1)).attr("height", height);
  }

  #drawMeans(means) {
    const data = means.map((row) => ({ name: row.sex, row }));
    const [left, middle, right] = [this.inner.left, this.x(0), this.inner.right];
    const [from, to] = [({ name }) => (SIDES[name].sign < 0 ? left : middle), ({ name }) => (SIDES[name].sign < 0 ? middle : right)];
    const high = ({ row }) => this.y(row.mean + row.standard_deviation);
    const low = ({ row }) => this.y(row.mean - row.standard_deviation);
    const name = (each) => each.name;
    this.marks.selectAll("rect.spread").data(data, name).join("rect").attr("class", (each) => `spread ${SIDES[each.name].className}`).attr("data-name", name)
      .attr("x", from).attr("width", (each) => to(each) - from(each)).attr("y", high).attr("height", (each) => low(each) - high(each));
    this.marks.selectAll("line.mean").data(data, name).join("line").attr("class", "mean").attr("data-name", name)
      .attr("x1", from).attr("x2", to).attr("y1", ({ row }) => this.y(row.mean)).attr("y2", ({ row }) => this.y(row.mean));
    this.marks.selectAll("text.mean-label").data(data, name).join("text").attr("class", "label mean-label").raise()
      .attr("x", (each) => (SIDES[each.name].sign < 0 ? left + 6 : right - 6)).attr("text-anchor", (each) => (SIDES[each.name].sign < 0 ? "start" : "end"))
      .attr("y", ({ row }) => this.y(row.mean) - 6).text(({ row }) => `mean ${years(row.mean)} ± ${years(row.standard_deviation)}`);
  }

  #told(rows, means) {
    const here = Object.keys(SIDES).map((sex) => rows.find((row) => row.sex === sex && row.age === this.age));
    if (here.every(Boolean)) return `Age ${ageText(this.age)}: ${here.map((row) => `${number(row.people)} ${row.sex}`).join(", ")}`;
    const sums = means.filter((row) => row.sex in SIDES).map((row) => `${number(row.people)} ${row.sex}`);
    return sums.join(", ");
  }

  #onKey(event) {
    const steps = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
    if (event.key === "Escape") this.#read(null);
    else if (event.key in steps) this.#read(this.age === null ? 0 : this.age + steps[event.key]);
    else return;
    event.preventDefault();
  }

  #read(age) {
    this.age = age === null ? null : Math.max(0, Math.min(AGE_MAX, Math.floor(age)));
    this.redraw.request();
  }
}

function ageText(age) {
  return age === AGE_MAX ? "100+" : String(age);
}
