/* What a task's statistics come to, and how its figures are said.
 *
 * In:  a task as the API shows it; `stats` is {"task-stats": {throughput}, "node-stats": {node: {collected, emitted, errors, ..}}},
 *      {} or null while it does not run.
 */

import { number } from "./format.js";

const SOURCE = /^(stream|batch)\d+$/;
const UNITS_NS = [["s", 1e9], ["ms", 1e6], ["µs", 1e3]];

/** {throughput, collected, errors}, or null if it does not run. */
export function figuresOf(task) {
  const nodes = Object.entries(task.stats?.["node-stats"] ?? {});
  if (!nodes.length) return null;
  const sources = d3.sum(nodes.filter(([name]) => SOURCE.test(name)), ([, each]) => each.collected);
  return {
    throughput: task.stats["task-stats"]?.throughput ?? 0,
    collected: sources || d3.max(nodes, ([, each]) => each.collected ?? 0),
    errors: d3.sum(nodes, ([, each]) => each.errors),
  };
}

/** In a word: one that is enabled and does not run has stopped by itself. */
export function stateOf(task) {
  if (task.executing) return "running";
  return task.status === "enabled" ? "stopped" : "disabled";
}

/** `12 µs` of nanoseconds, or of what a node's own text says. */
export function durationOf(ns) {
  if (typeof ns === "string") return ns;
  for (const [unit, size] of UNITS_NS) if (ns >= size) return `${number(ns / size)} ${unit}`;
  return `${number(ns ?? 0)} ns`;
}
