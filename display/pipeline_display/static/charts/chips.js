/* The legend of a panel: a chip for each series, its switch, and its value under the crosshair. */

/** `series`: {name, label, doc, className, isOn}. Returns {name, className, isOn(), say(text)}. */
export function addChip(chips, { name, label = name, doc, className, isOn = true }, onChange) {
  const chip = chips.append("label").attr("class", `chip ${className}`).attr("title", doc);
  const box = chip.append("input").attr("type", "checkbox").attr("name", name).property("checked", isOn).on("change", onChange);
  chip.append("span").attr("class", "swatch").attr("aria-hidden", "true");
  chip.append("span").attr("class", "chip-name").text(label);
  const value = chip.append("span").attr("class", "chip-value");
  return { name, label, className, isOn: () => box.property("checked"), say: (text) => value.text(text) };
}

/** A figure with a title, room for chips and a plot. */
export function addFigure(host, { title, isWide }) {
  const figure = d3.select(host).append("figure").attr("class", isWide ? "figure wide" : "figure").attr("data-title", title);
  const head = figure.append("figcaption");
  head.append("span").attr("class", "figure-title").text(title);
  return { chips: head.append("span").attr("class", "chips"), plot: figure.append("div").attr("class", "plot").node() };
}
