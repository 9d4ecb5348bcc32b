/* The ledger on the index: for each source and store what was made, acknowledged, stored, lost, twice.
 *
 * In:  frames of the feed `audit`.
 * Out: rows of `#audit`, each with its account as datum; `data-verdict` is "whole", "wrong" or "away".
 */

import { number } from "./format.js";

const NUMBERS = ["made", "acknowledged", "stored", "late", "on_the_way", "lost", "twice"];

export function drawAudit(frame) {
  if (!frame?.rows.length) return;
  const rows = d3.select("#audit tbody").selectAll("tr").data(frame.rows).join("tr").attr("data-verdict", verdict);
  rows.selectAll("td").data(cellsOf).join("td").attr("class", (cell) => cell.className ?? null).attr("colspan", (cell) => cell.span ?? null).text((cell) => cell.text);
}

function verdict(account) {
  if (account.away) return "away";
  return account.lost || account.twice ? "wrong" : "whole";
}

function cellsOf(account) {
  if (account.away) return [{ text: "every source", className: "string" }, { text: account.store, className: "string" }, { text: account.away, className: "string doing", span: NUMBERS.length }];
  return [
    { text: account.source, className: "string" },
    { text: account.store, className: "string" },
    ...NUMBERS.map((name) => ({ text: number(account[name]), className: name === "lost" || name === "twice" ? "telling" : undefined })),
  ];
}
