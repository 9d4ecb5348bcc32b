/* A task's graph with its counters, and the table of what each node has counted.
 *
 * In:  a task as the API shows it, again and again; `dot` with a node's figures as attributes, an edge's `processed`.
 * Out: the drawing and the table; `g.node` and `g.edge` are bound to what they were drawn from.
 */

import { count, number } from "./format.js";
import { NODE, laidOut, readDot } from "./graph_layout.js";
import { durationOf } from "./task_figures.js";

const LEAST_SCALE = 0.7; // narrower than that it is scrolled
const RATE_OVER_MS = 5_000;
const IN_COLUMNS = new Set(["collected", "emitted", "errors", "avg_exec_time_ns", "working_cardinality"]);

export class TaskGraph {
  #seen = []; // [{ms, processed: Map(edge -> count)}] of the last seconds
  #graph = { nodes: [], edges: [], width: 0, height: 0 };
  #shape = "";

  constructor(svg, table) {
    this.svg = d3.select(svg);
    this.table = d3.select(table);
    this.edges = this.svg.append("g");
    this.nodes = this.svg.append("g");
  }

  /** `ms`: when the task was asked. */
  draw(task, ms) {
    const read = readDot(task.dot ?? "");
    const shape = JSON.stringify([read.nodes.map((each) => each.name), read.edges.map((each) => [each.from, each.to])]);
    if (shape !== this.#shape) this.#seen = [];
    if (shape !== this.#shape) this.#graph = laidOut(read);
    this.#shape = shape;
    this.#note(read.edges, ms);
    const stats = task.stats?.["node-stats"] ?? {};
    const told = (name) => ({ ...read.nodes.find((each) => each.name === name)?.attributes, ...stats[name] });
    this.#drawEdges(this.#graph.edges.map((edge, i) => ({ ...edge, processed: read.edges[i].processed, perS: this.#rate(i) })));
    this.#drawNodes(this.#graph.nodes.map((node) => ({ ...node, told: told(node.name) })));
    this.svg.attr("viewBox", `0 0 ${this.#graph.width} ${this.#graph.height}`).attr("width", this.#graph.width).style("min-width", `${LEAST_SCALE * this.#graph.width}px`);
    this.#drawTable(Object.entries(stats));
  }

  #note(edges, ms) {
    const last = this.#seen.at(-1);
    const processed = edges.map((edge) => edge.processed);
    if (last && processed.some((each, i) => each < last.processed[i])) this.#seen = []; // it was started anew
    if (!last || ms > last.ms) this.#seen.push({ ms, processed });
    this.#seen = this.#seen.filter((each) => each.ms >= ms - RATE_OVER_MS - 1000);
  }

  #rate(i) {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)];
    if (!first || last.ms <= first.ms || last.processed[i] === null) return null;
    return ((last.processed[i] - first.processed[i]) * 1000) / (last.ms - first.ms);
  }

  #drawEdges(edges) {
    const groups = this.edges.selectAll("g.edge").data(edges).join((enter) => {
      const group = enter.append("g").attr("class", "edge");
      group.append("path").attr("class", "way");
      group.append("path").attr("class", "tip");
      group.append("text").attr("class", "processed");
      group.append("text").attr("class", "per-s");
      return group;
    });
    groups.attr("data-edge", (edge) => `${edge.from} -> ${edge.to}`).classed("busy", (edge) => edge.perS > 0);
    groups.select("path.way").attr("d", curve);
    groups.select("path.tip").attr("d", ({ points }) => `M${points.at(-1)[0]},${points.at(-1)[1]}l-8,-4.5v9z`);
    const middle = ({ points: [[x0, y0], [x1, y1]] }) => [(x0 + x1) / 2, (y0 + y1) / 2];
    groups.select("text.processed").attr("x", (edge) => middle(edge)[0]).attr("y", (edge) => middle(edge)[1] - 7).text((edge) => (edge.processed === null ? "" : number(edge.processed)));
    groups.select("text.per-s").attr("x", (edge) => middle(edge)[0]).attr("y", (edge) => middle(edge)[1] + 16).text((edge) => (edge.perS ? `${number(Math.round(edge.perS * 10) / 10)} /s` : ""));
  }

  #drawNodes(nodes) {
    const groups = this.nodes.selectAll("g.node").data(nodes, (node) => node.name).join((enter) => {
      const group = enter.append("g").attr("class", "node");
      group.append("rect").attr("width", NODE.width).attr("height", NODE.height).attr("rx", 9);
      group.append("text").attr("class", "node-name").attr("x", 12).attr("y", 23);
      group.append("text").attr("class", "node-told").attr("x", 12).attr("y", 43);
      group.append("title");
      return group;
    });
    groups.attr("data-node", (node) => node.name).attr("transform", (node) => `translate(${node.x},${node.y - NODE.height / 2})`);
    groups.classed("wrong", (node) => Number(node.told.errors) > 0);
    groups.select(".node-name").text((node) => node.name);
    groups.select(".node-told").text(toldOf);
    groups.select("title").text((node) => Object.entries(node.told).map(([name, value]) => `${name}: ${value}`).join("\n"));
  }

  #drawTable(stats) {
    const body = this.table.select("tbody");
    body.selectAll("tr.empty").data(stats.length ? [] : [0]).join((enter) => {
      const row = enter.append("tr").attr("class", "empty");
      row.append("td").attr("colspan", 7).attr("class", "string").text("It does not run");
      return row;
    });
    const rows = body.selectAll("tr:not(.empty)").data(stats, (each) => each?.[0]).join("tr").attr("data-node", ([name]) => name);
    rows.selectAll("td").data(cellsOf).join("td").attr("class", (cell) => cell.className ?? null).text((cell) => cell.text);
  }
}

function toldOf({ told }) {
  if (told.working_cardinality === undefined) return "";
  const errors = Number(told.errors);
  return errors ? `⚠ ${count(errors, "error")}` : `${count(Number(told.working_cardinality), "group")} · ${durationOf(told.avg_exec_time_ns)}`;
}

function cellsOf([name, stats]) {
  const others = Object.entries(stats).filter(([each, value]) => !IN_COLUMNS.has(each) && value !== 0).sort();
  return [
    { text: name, className: "string" },
    { text: number(stats.collected) },
    { text: number(stats.emitted) },
    { text: number(stats.errors), className: stats.errors ? "wrong" : undefined },
    { text: durationOf(stats.avg_exec_time_ns) },
    { text: number(stats.working_cardinality) },
    { text: others.map(([each, value]) => `${each.replaceAll("_", " ")} ${typeof value === "number" ? number(value) : value}`).join(", "), className: "string doing" },
  ];
}

/** From point to point, level at both ends; every second stretch crosses a layer and is straight. */
function curve({ points }) {
  const [[x, y], ...rest] = points;
  let [beforeX, beforeY] = [x, y];
  return `M${x},${y}` + rest.map(([nextX, nextY]) => {
    const middle = (beforeX + nextX) / 2;
    const part = `C${middle},${beforeY} ${middle},${nextY} ${nextX},${nextY}`;
    [beforeX, beforeY] = [nextX, nextY];
    return part;
  }).join("");
}
