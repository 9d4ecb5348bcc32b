/* The mean age through the years, of women, men and all, with bands of ± 1 standard deviation; it picks the year.
 *
 * In:  rows by sex, ascending by year, and the year that is chosen.
 * Out: `path.line[data-name]` with datum {name, points: rows}, `path.band[data-name="NAME-band"]` the same.
 */

import { years } from "../format.js";
import { addChip, addFigure } from "./chips.js";
import { Panel, niceDomain } from "./panel.js";

const HEIGHT = 560;
const SERIES = [
  { name: "female", className: "c1", doc: "mean age of women and girls, years" },
  { name: "all", className: "c2", doc: "mean age of all, years" },
  { name: "male", className: "c0", doc: "mean age of men and boys, years" },
];
const SPREAD = { name: "spread", label: "± 1 standard deviation", className: "c4 soft", doc: "the band around each mean; without it the means have the whole height" };
const LABEL = "Mean age over the years; left and right arrow choose the year, the table below has all values";

export class Ages {
  /** `onYear(year)` and `onStep(steps)`: a year was picked here. */
  constructor(host, { redraw, onYear, onStep }) {
    const { chips, plot } = addFigure(host, { title: "Mean age", isWide: false });
    this.series = SERIES.map((each) => addChip(chips, each, () => redraw.request()));
    this.spread = addChip(chips, SPREAD, () => redraw.request());
    this.panel = new Panel(plot, { label: LABEL, height: HEIGHT, cursor: { onCursor: () => {}, onStep }, x: d3.scaleLinear() });
    const pick = (event) => onYear(this.panel.x.invert(d3.pointer(event)[0]));
    this.panel.svg.classed("ages", true).on("pointerdown", pick).on("pointermove", (event) => event.buttons && pick(event));
  }

  draw({ year, bySex }) {
    const shown = this.series.filter((each) => each.isOn() && bySex.get(each.name)?.length);
    const rows = shown.flatMap((each) => bySex.get(each.name));
    if (!rows.length) return;
    const hasBands = this.spread.isOn();
    const values = rows.flatMap((row) => (hasBands ? [low(row), high(row)] : [row.mean]));
    this.panel.layOut({ xDomain: d3.extent(rows, at), yDomain: niceDomain(values), xTitle: "year", yTitle: "age (years)", xFormat: d3.format("d") });
    const items = shown.map(({ name, className }) => ({ name, className, points: bySex.get(name), at }));
    this.panel.drawBands(hasBands ? items.map((each) => ({ ...each, name: `${each.name}-band`, low, high })) : []);
    this.panel.drawLines(items.map((each) => ({ ...each, value: (row) => row.mean })));
    this.panel.drawLabels(items.map((each) => ({ ...each, value: each.points.at(-1).mean })));
    const here = items.map((each) => ({ ...each, value: each.points.find((row) => row.year === year)?.mean })).filter((each) => each.value !== undefined);
    this.panel.drawCursor(year, here);
    for (const each of this.series) each.say(here.some(({ name }) => name === each.name) ? years(here.find(({ name }) => name === each.name).value) : "");
  }
}

function at(row) {
  return row.year;
}

function low(row) {
  return row.mean - row.standard_deviation;
}

function high(row) {
  return row.mean + row.standard_deviation;
}
