/* A script with numbered lines, in which an error stands at its place: its line is marked in the gutter, its text below the line.
 *
 * In:  what is typed; what the task API says, `invalid TICKscript: line L char C: ...`.
 * Out: `data-line` of the editor is the marked line; a mark goes when something is typed.
 */

const PLACE = /line (\d+) char (\d+):?\s*(.*)/s;
const ROWS_MIN = 8;
const ROWS_SPARE = 2; // the text below the last line needs room

export class ScriptEditor {
  /** `changed()`: something was typed. */
  constructor(form, changed = () => {}) {
    this.element = form.querySelector(".editor");
    this.area = form.elements.script;
    this.gutter = this.element.querySelector(".gutter");
    this.note = this.element.querySelector(".editor-note");
    this.told = form.querySelector(".script-error");
    this.area.addEventListener("input", () => { this.clear(); changed(); });
    this.area.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(); });
    this.clear();
  }

  get value() {
    return this.area.value;
  }

  set value(text) {
    this.area.value = text;
    this.clear();
  }

  clear() {
    this.told.textContent = "";
    this.#mark(null);
  }

  /** Says what is wrong, at its line if it has one; the cursor goes there. */
  show(error) {
    this.told.textContent = error;
    const place = placeOf(error, this.area.value);
    this.#mark(place);
    if (!place) return;
    this.area.focus();
    this.area.setSelectionRange(place.offset, place.offset);
  }

  #mark(place) {
    const lines = this.area.value.split("\n");
    this.area.rows = Math.max(ROWS_MIN, lines.length + ROWS_SPARE);
    d3.select(this.gutter).selectAll("li").data(lines).join("li").attr("class", (_, i) => (i + 1 === place?.line ? "wrong" : null));
    this.element.dataset.line = place?.line ?? "";
    this.note.hidden = !place;
    if (!place) return;
    this.note.textContent = `${" ".repeat(place.char - 1)}▲ ${place.text}`;
    this.note.style.setProperty("--line", place.line);
  }
}

/** {line, char, text, offset} of an error in a script, null if it names no line. */
export function placeOf(error, script) {
  const found = PLACE.exec(error);
  if (!found) return null;
  const lines = script.split("\n");
  const line = Math.max(1, Math.min(Number(found[1]), lines.length));
  const char = Math.max(1, Number(found[2]));
  const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  return { line, char, text: found[3], offset: before + Math.min(char - 1, lines[line - 1].length) };
}
