/* A map of the mean household income by state.
 *
 * In:  rows of states and of regions; shapes from vendor/states-10m.json, projected here once, in a frame of 975 × 610.
 * Out: `path.state` with datum {name, row, shape}, one for each state that the projection has, and for Puerto Rico, which
 *      has a frame of its own; `row` is null where the table has none. The District of Columbia, a speck at this scale, has
 *      a `circle.state` beside the coast as well.
 * One state can be reached by the tab key, the others from it by arrow keys, in the order of their names.
 */

import "../vendor/topojson-client.min.js";
import { count, number } from "../format.js";
import { addFigure } from "./chips.js";

const SHAPES = new URL("../vendor/states-10m.json", import.meta.url);
const [WIDTH, HEIGHT] = [975, 610];
const CLASSES = 7;
const PUERTO_RICO = 72;
const PUERTO_RICO_FRAME = [[842, 540], [952, 588]];
const COLUMBIA = { id: 11, x: 905, y: 318 };
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -100, End: 100 };

export class StatesMap {
  constructor(host, { redraw }) {
    const { chips, plot } = addFigure(host, { title: "Mean household income by state", isWide: true });
    this.title = d3.select(plot.parentNode).select(".figure-title");
    this.said = chips.append("output").attr("class", "said");
    this.redraw = redraw;
    this.shapes = [];
    this.told = null;
    this.drawnOf = null;
    this.legend = d3.select(plot).append("ol").attr("class", "legend").attr("aria-label", "Mean household income, USD");
    this.svg = d3.select(plot).append("svg").attr("class", "panel map").attr("viewBox", `0 0 ${WIDTH} ${HEIGHT}`).attr("role", "group").attr("aria-label", "Map of the states; arrow keys go from one to the next by name, the table below has all values");
    this.states = this.svg.append("g");
    this.notes = this.svg.append("g").attr("class", "notes");
    this.outline = this.svg.append("path").attr("class", "outline");
    this.svg.on("keydown", (event) => this.#onKey(event));
    this.#load(plot);
  }

  /** `states`: rows by name; `regions`: rows by the region's name; new maps whenever a row changed. */
  draw({ states, regions }) {
    this.regions = regions;
    if (states !== this.drawnOf && this.shapes.length && states.size) this.#drawStates(states);
    this.outline.attr("d", this.told?.shape.d ?? null);
    this.said.text(this.told ? this.#sentence(this.told) : "");
  }

  async #load(plot) {
    try {
      this.shapes = shapesOf(await d3.json(SHAPES));
      this.redraw.request();
    } catch (error) {
      d3.select(plot).append("p").attr("class", "note").text(`The states' shapes did not come (${error.message}); the table below has the numbers.`);
    }
  }

  #drawStates(states) {
    this.drawnOf = states;
    const rows = new Map([...states.values()].map((row) => [row.state_id, row]));
    const bounds = boundsOf([...rows.values()].map((row) => row.mean));
    const level = (row) => (row ? `state m${Math.round((d3.bisectRight(bounds, row.mean) * (CLASSES - 1)) / bounds.length)}` : "state unknown");
    const data = this.shapes.map((shape) => ({ name: shape.name, row: rows.get(shape.id) ?? null, shape }));
    const spoken = (each) => this.#sentence(each);
    this.#mark("path", data, level).attr("d", ({ shape }) => shape.d).attr("role", "img").attr("aria-label", spoken).attr("tabindex", (_, i) => (i ? -1 : 0))
      .on("focus", (_, each) => this.#tell(each)).on("blur", () => this.#tell(null));
    this.#mark("circle", data.filter(({ shape }) => shape.id === COLUMBIA.id), level).attr("r", 9).attr("cx", COLUMBIA.x).attr("cy", COLUMBIA.y).attr("aria-hidden", "true");
    this.#drawNotes(data);
    this.#drawLegend(bounds, level);
    const years = [...new Set([...rows.values()].map((row) => row.year))].join(", ");
    this.title.text(`Mean household income by state, ${years}`);
  }

  #mark(kind, data, level) {
    return this.states.selectAll(kind).data(data, (each) => each.name).join(kind).attr("class", ({ row }) => level(row)).attr("data-name", (each) => each.name)
      .on("pointerenter", (_, each) => this.#tell(each)).on("pointerleave", () => this.#tell(null));
  }

  #drawNotes(data) {
    const columbia = data.find(({ shape }) => shape.id === COLUMBIA.id)?.shape.middle;
    const [[left, top], [right]] = PUERTO_RICO_FRAME;
    this.notes.selectAll("line").data(columbia ? [columbia] : []).join("line").attr("x1", ([x]) => x).attr("y1", ([, y]) => y).attr("x2", COLUMBIA.x - 10).attr("y2", COLUMBIA.y - 1);
    const texts = [{ text: "DC", x: COLUMBIA.x + 14, y: COLUMBIA.y, anchor: "start" }, { text: "Puerto Rico", x: (left + right) / 2, y: top - 14, anchor: "middle" }];
    this.notes.selectAll("text").data(texts).join("text").attr("x", (each) => each.x).attr("y", (each) => each.y).attr("dy", "0.34em").attr("text-anchor", (each) => each.anchor).text((each) => each.text);
  }

  #drawLegend(bounds, level) {
    const steps = d3.range(bounds.length + 1).map((i) => ({ level: level({ mean: i ? bounds[i - 1] : -Infinity }), text: i === 0 ? `below ${number(bounds[0])} USD` : i === bounds.length ? `${number(bounds[i - 1])} USD and more` : `${number(bounds[i - 1])} – ${number(bounds[i])}` }));
    const items = this.legend.selectAll("li").data(steps).join((enter) => {
      const item = enter.append("li");
      item.append("span").attr("aria-hidden", "true");
      item.append("span").attr("class", "legend-text");
      return item;
    });
    items.select("span").attr("class", (step) => step.level);
    items.select(".legend-text").text((step) => step.text);
  }

  #sentence({ name, row }) {
    if (!row) return `${name}: not in the table`;
    const region = this.regions.get(row.region);
    const around = region && region.households !== row.households ? `; ${row.region}: ${number(region.mean)} USD` : "";
    return `${name}: mean ${number(row.mean)} USD, standard deviation ${number(row.standard_deviation)} USD, ${count(row.households, "household")}${around}`;
  }

  #tell(each) {
    this.told = each;
    this.redraw.request();
  }

  #onKey(event) {
    const paths = this.states.selectAll("path").nodes();
    const at = paths.indexOf(document.activeElement);
    if (at < 0 || !(event.key in STEPS)) return;
    const next = paths[Math.max(0, Math.min(paths.length - 1, at + STEPS[event.key]))];
    d3.selectAll(paths).attr("tabindex", -1);
    d3.select(next).attr("tabindex", 0);
    next.focus();
    event.preventDefault();
  }
}

/** Each state's outline, by name; territories that neither the projection nor the frame has are left out. */
function shapesOf(topology) {
  const { features } = self.topojson.feature(topology, topology.objects.states);
  const mainland = d3.geoPath(d3.geoAlbersUsa().scale(1300).translate([WIDTH / 2, HEIGHT / 2]));
  const puertoRico = features.find((each) => Number(each.id) === PUERTO_RICO);
  const island = d3.geoPath(d3.geoMercator().fitExtent(PUERTO_RICO_FRAME, puertoRico));
  const shapes = features.map((each) => {
    const path = each === puertoRico ? island : mainland;
    return { id: Number(each.id), name: each.properties.name, d: path(each), middle: path.centroid(each) };
  });
  return shapes.filter((each) => each.d).sort((a, b) => a.name.localeCompare(b.name));
}

/** Round bounds between the classes, at most one fewer than there are colours. */
function boundsOf(means) {
  const [least, greatest] = d3.extent(means);
  return d3.ticks(least, greatest, CLASSES - 1).filter((bound) => bound > least && bound <= greatest).slice(0, CLASSES - 1);
}
