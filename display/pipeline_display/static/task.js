/* One task: its figures, its graph, its script, what it gives out, replays.
 *
 * In:  `data-page` of the body ({task}), and the feeds `task` (see feeds/tasks.py) and `answers`.
 * Out: all of that, drawn when news come; wishes for the task API. A script that is being edited is not written over.
 */

import { offerCopy } from "./copy.js";
import { readDbrps, writtenDbrps } from "./dbrps.js";
import { number } from "./format.js";
import { HttpOuts } from "./http_outs.js";
import { Link } from "./link.js";
import { Redraw } from "./redraw.js";
import { Replays } from "./replays.js";
import { ScriptEditor } from "./script_editor.js";
import { State } from "./state.js";
import { figuresOf, stateOf } from "./task_figures.js";
import { TaskGraph } from "./task_graph.js";
import { TaskLink } from "./task_link.js";

const STALE_S = 6;

const page = JSON.parse(document.body.dataset.page);
const state = new State();
const redraw = new Redraw(draw);
let told = null; // the last frame that has the task
let isAway = false;
let isEdited = false;
let isMissing = false;

const link = new Link(["task", "answers"], {
  part: take,
  connection: (connection) => { state.connection = connection; redraw.request(); },
  extents: () => { state.isFollowing = true; wishes.lookNow(); redraw.request(); },
  drawn: (after) => { redraw.request(); redraw.afterDrawing(after); },
  clock: () => redraw.request(),
});
const wishes = new TaskLink(link, () => ({ task: page.task, replay: replays.chosen }));
const graph = new TaskGraph(document.querySelector("#graph"), document.querySelector("#nodes"));
const outs = new HttpOuts(document.querySelector("#outputs"), redraw);
const replays = new Replays(page.task, redraw, { send: (wish, answered) => wishes.send(wish, answered), look: () => wishes.lookNow() });
const form = document.querySelector("#edit");
const editor = new ScriptEditor(form, noteEdit);
state.waiting = "Connected. The task API is being asked.";

function take(part) {
  if (part.feed === "answers") return wishes.take(part.frames);
  for (const frame of part.frames) if (frame.task_id === page.task) takeFrame(frame);
}

function takeFrame(frame) {
  isAway = frame.is_away;
  isMissing = !frame.task && !frame.trouble;
  state.away = frame.trouble;
  document.querySelector("#away-text").textContent = frame.trouble;
  if (isMissing) {
    state.missing = `There is no task ${page.task}.`;
    state.hasRows = false;
  }
  if (!frame.task) return;
  told = frame;
  state.hasRows = true;
  state.missing = "";
  if (!isEdited) showScript();
  outs.take(frame.outputs);
  replays.take(frame);
}

function draw() {
  document.querySelector("#away").hidden = !isAway;
  for (const button of ["#toggle", "#delete"]) document.querySelector(button).disabled = !told || isMissing;
  form.querySelector("[type=submit]").disabled = !told || isMissing || !isEdited;
  document.querySelector("#revert").disabled = !isEdited;
  if (told) {
    drawFigures(told.task);
    graph.draw(told.task, told.time_ns / 1e6);
    outs.draw();
    replays.draw();
  }
  const newestMs = told ? told.time_ns / 1e6 : -Infinity;
  state.show(newestMs, (link.now() - newestMs) / 1000 > STALE_S);
}

function drawFigures(task) {
  const figures = figuresOf(task);
  setText("#status", stateOf(task));
  setText("#reads", writtenDbrps(task.dbrps ?? []) || " ");
  setText("#throughput", figures ? `${number(Math.round(figures.throughput * 10) / 10)} /s` : "–");
  setText("#collected", figures ? `${number(figures.collected)} collected` : "it does not run");
  setText("#errors", figures ? number(figures.errors) : "–");
  setText("#toggle", task.status === "enabled" ? "Disable" : "Enable");
  const stopped = document.querySelector("#stopped");
  stopped.hidden = !task.error;
  setText("#stopped", task.error ? `Why it stopped: ${task.error}` : "");
}

function showScript() {
  const dbrps = writtenDbrps(told.task.dbrps ?? []);
  if (form.elements.dbrps.value !== dbrps) form.elements.dbrps.value = dbrps;
  if (editor.value !== told.task.script) editor.value = told.task.script;
}

function noteEdit() {
  isEdited = true;
  setText("#edit-said", "");
  redraw.request();
}

function save() {
  const dbrps = readDbrps(form.elements.dbrps.value);
  editor.clear();
  if (!dbrps) return setText("#edit-said", "“reads” must be like telegraf.autogen");
  const script = editor.value;
  setText("#edit-said", "Being tried out …");
  wishes.send({ do: "edit", task: page.task, dbrps, script }, ({ error }) => {
    setText("#edit-said", error ? "Not saved." : "Saved.");
    if (error) return editor.show(error);
    isEdited = editor.value !== script;
    redraw.request();
  });
}

function revert() {
  isEdited = false;
  setText("#edit-said", "");
  editor.clear();
  showScript();
  redraw.request();
}

function wish(what) {
  setText("#task-said", "Asked …");
  wishes.send({ do: what, task: page.task }, ({ error }) => {
    setText("#task-said", error || "Done.");
    if (what === "delete" && !error) location.assign("/tasks");
  });
}

function setText(selector, text) {
  const element = document.querySelector(selector);
  if (element.textContent !== text) element.textContent = text;
}

form.addEventListener("submit", (event) => { event.preventDefault(); save(); });
form.elements.dbrps.addEventListener("input", noteEdit);
document.querySelector("#revert").addEventListener("click", revert);
document.querySelector("#toggle").addEventListener("click", () => wish(told.task.status === "enabled" ? "disable" : "enable"));
document.querySelector("#delete").addEventListener("click", () => { if (confirm(`Delete the task ${page.task}? What it has counted and kept goes with it.`)) wish("delete"); });
offerCopy(document.querySelector("#copy"), document.querySelector("#command"));
offerCopy(document.querySelector("#copy-starts"), document.querySelector("#starts"));
new ResizeObserver(() => redraw.request()).observe(document.querySelector("#outputs"));
setInterval(() => redraw.request(), 1000);
redraw.request();
