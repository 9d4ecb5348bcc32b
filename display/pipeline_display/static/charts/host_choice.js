/* Which host a chart shows: the one that was chosen, else one that is lively.
 *
 * In:  what the chart knows, as a map from a host's name to its rows, oldest first.
 * Out: the name to show, and a choice among the controls; it is hidden while there is only one host.
 */

const SILENT_MS = 10_000;

export class HostChoice {
  #chosen = null;
  #shown = null;

  /** `host`: the chart's element; `at(row)`: a row's time in ms; `changed()`: draw again. */
  constructor(host, { at, changed }) {
    this.at = at;
    this.label = d3.select(host.parentNode).select(".controls").append("label").attr("class", "choice").attr("hidden", "");
    this.label.append("span").text("Host");
    this.select = this.label.append("select").on("change", (event) => { this.#chosen = event.target.value; changed(); });
  }

  /** The rows to show; none while there is no host. */
  rows(hosts) {
    this.#shown = hosts.has(this.#chosen) ? this.#chosen : this.#lively(hosts);
    return hosts.get(this.#shown) ?? [];
  }

  draw(hosts) {
    const names = [...hosts.keys()].sort();
    this.label.attr("hidden", names.length > 1 ? null : "");
    this.select.selectAll("option").data(names, (name) => name).join("option").attr("value", (name) => name).text((name) => name);
    if (this.#shown) this.select.property("value", this.#shown);
  }

  /** The host shown so far, unless it has fallen silent while another has not. */
  #lively(hosts) {
    const newest = d3.greatest(hosts, ([, rows]) => this.at(rows.at(-1)));
    const shown = hosts.get(this.#shown);
    return shown && this.at(newest[1].at(-1)) - this.at(shown.at(-1)) < SILENT_MS ? this.#shown : newest?.[0] ?? null;
  }
}
