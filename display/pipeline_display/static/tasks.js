/* The list of tasks: how each stands, what can be done with it, and a form that defines one.
 *
 * In:  the feeds `tasks` (see feeds/tasks.py) and `answers`.
 * Out: a row for each task, drawn when news come; wishes for the task API.
 */

import { offerCopy } from "./copy.js";
import { readDbrps, writtenDbrps } from "./dbrps.js";
import { count, number } from "./format.js";
import { Link } from "./link.js";
import { Redraw } from "./redraw.js";
import { ScriptEditor } from "./script_editor.js";
import { State } from "./state.js";
import { figuresOf, stateOf } from "./task_figures.js";
import { TaskLink } from "./task_link.js";

const STALE_S = 6;

const state = new State();
state.waiting = "Connected. There are no tasks yet: define one below.";
const redraw = new Redraw(draw);
let tasks = null;
let newestMs = -Infinity;
let isAway = false;

const link = new Link(["tasks", "answers"], {
  part: take,
  connection: (connection) => { state.connection = connection; redraw.request(); },
  extents: () => { state.isFollowing = true; wishes.lookNow(); redraw.request(); },
  drawn: (after) => { redraw.request(); redraw.afterDrawing(after); },
  clock: () => redraw.request(),
});
const wishes = new TaskLink(link, () => ({}));
const form = document.querySelector("#define");
const editor = new ScriptEditor(form);

function take(part) {
  if (part.feed === "answers") return wishes.take(part.frames);
  const frame = part.frames.at(-1);
  if (!frame) return;
  // What was asked for someone who looked before is no news here.
  if (link.now() - frame.time_ns / 1e6 > 1000 * STALE_S && !tasks) return;
  isAway = frame.is_away;
  state.away = frame.trouble;
  document.querySelector("#away-text").textContent = frame.trouble;
  if (frame.trouble) return;
  newestMs = frame.time_ns / 1e6;
  tasks = d3.sort(frame.tasks, (each) => each.id);
  state.hasRows = tasks.length > 0;
}

function draw() {
  document.querySelector("#away").hidden = !isAway;
  if (tasks) {
    drawFigures(tasks.map((task) => ({ task, figures: figuresOf(task) })));
    drawRows();
  }
  state.show(newestMs, (link.now() - newestMs) / 1000 > STALE_S);
}

function drawFigures(all) {
  const told = all.map((each) => each.figures).filter((each) => each);
  setText("#running", tasks.length ? number(all.filter(({ task }) => task.executing).length) : "–");
  setText("#running-note", `of ${count(tasks.length, "task")}`);
  setText("#throughput", told.length ? `${rounded(d3.sum(told, (each) => each.throughput))} /s` : "–");
  setText("#collected", told.length ? `${number(d3.sum(told, (each) => each.collected))} collected` : "no task runs");
  setText("#errors", told.length ? number(d3.sum(told, (each) => each.errors)) : "–");
}

function drawRows() {
  const body = d3.select("#tasks tbody");
  body.selectAll("tr.empty").remove();
  const rows = body.selectAll("tr.task").data(tasks, (task) => task.id).join(newRow).attr("data-state", stateOf).order();
  rows.select("a.task-id").text((task) => task.id);
  const texts = [
    ["type", (task) => task.type],
    ["state", stateOf],
    ["reads", (task) => writtenDbrps(task.dbrps ?? [])],
    ["throughput", (task) => said(task, (each) => rounded(each.throughput))],
    ["collected", (task) => said(task, (each) => number(each.collected))],
    ["errors", (task) => said(task, (each) => number(each.errors))],
    ["why", (task) => task.error || "–"],
  ];
  for (const [name, text] of texts) rows.select(`td[data-cell=${name}]`).text(text);
  rows.select("td[data-cell=errors]").classed("wrong", (task) => figuresOf(task)?.errors > 0);
  rows.select("td[data-cell=why]").classed("wrong", (task) => Boolean(task.error));
  rows.select("button.toggle").text((task) => (task.status === "enabled" ? "Disable" : "Enable"));
  if (!tasks.length) body.append("tr").attr("class", "empty").append("td").attr("colspan", 9).attr("class", "string").text("No tasks yet");
}

function newRow(enter) {
  const row = enter.append("tr").attr("class", "task").attr("data-task", (task) => task.id);
  row.append("th").attr("scope", "row").attr("class", "string").append("a").attr("class", "task-id").attr("href", (task) => pageOf(task.id));
  for (const name of ["type", "state", "reads"]) row.append("td").attr("class", "string").attr("data-cell", name);
  for (const name of ["throughput", "collected", "errors"]) row.append("td").attr("data-cell", name);
  row.append("td").attr("class", "string doing").attr("data-cell", "why");
  const change = row.append("td").attr("class", "string change");
  change.append("button").attr("type", "button").attr("class", "toggle").on("click", (_, task) => toggle(task));
  change.append("a").attr("class", "edit").attr("href", (task) => `${pageOf(task.id)}#script-title`).text("Edit");
  change.append("button").attr("type", "button").attr("class", "delete").text("Delete").on("click", (_, task) => remove(task));
  return row;
}

function toggle(task) {
  wish({ do: task.status === "enabled" ? "disable" : "enable", task: task.id });
}

function remove(task) {
  if (confirm(`Delete the task ${task.id}? What it has counted and kept goes with it.`)) wish({ do: "delete", task: task.id });
}

function wish(asked) {
  setText("#list-said", `${asked.task}: asked to ${asked.do} …`);
  wishes.send(asked, ({ error }) => setText("#list-said", `${asked.task}: ${error || "done"}`));
}

function define() {
  const id = form.elements.id.value.trim();
  const dbrps = readDbrps(form.elements.dbrps.value);
  editor.clear();
  if (!dbrps) return setText("#define-said", "“reads” must be like telegraf.autogen");
  setText("#define-said", "Being tried out …");
  wishes.send({ do: "define", task: id, dbrps, script: editor.value }, ({ error }) => {
    setText("#define-said", error ? "Not defined." : `${id} is defined.`);
    if (error) editor.show(error);
  });
}

function said(task, text) {
  const figures = figuresOf(task);
  return figures ? text(figures) : "–";
}

function pageOf(id) {
  return `/tasks/${encodeURIComponent(id)}`;
}

function rounded(rate) {
  return number(Math.round(rate * 10) / 10);
}

function setText(selector, text) {
  const element = document.querySelector(selector);
  if (element.textContent !== text) element.textContent = text;
}

form.addEventListener("submit", (event) => { event.preventDefault(); define(); });
offerCopy(document.querySelector("#copy"), document.querySelector("#command"));
offerCopy(document.querySelector("#copy-starts"), document.querySelector("#starts"));
setInterval(() => redraw.request(), 1000);
redraw.request();
