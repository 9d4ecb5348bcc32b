/* Which events were here already, by their id, in little room: ids of our form as ranges of sequence numbers.
 *
 * A producer that got no answer may have sent an event twice; it counts once. Its events come in order, so what was seen
 * of it is one range, or a few where some were lost or late. Other ids are remembered as they are.
 */

const NUMBERED = /^(.*)-(\d{12})$/s;
const PRODUCERS_MAX = 1_000;
const RANGES_MAX = 1_000;
const OTHERS_MAX = 600_000;

export class Seen {
  #ranges = new Map();
  #others = new Set();

  /** Whether the event of this id is here for the first time; it is known from now on. */
  isNew(id) {
    const numbered = NUMBERED.exec(id);
    return numbered ? this.#isNewNumber(numbered[1], Number(numbered[2])) : this.#isNewOther(id);
  }

  #isNewNumber(producer, number) {
    let ranges = this.#ranges.get(producer);
    if (!ranges) this.#ranges.set(producer, ranges = []);
    forgetBeyond(this.#ranges, PRODUCERS_MAX);
    return extend(ranges, number);
  }

  #isNewOther(id) {
    if (this.#others.has(id)) return false;
    this.#others.add(id);
    forgetBeyond(this.#others, OTHERS_MAX);
    return true;
  }
}

/** Add `number` to ascending `ranges` of {from, to}, both inclusive; false if one of them has it. */
function extend(ranges, number) {
  let after = ranges.length;
  while (after > 0 && ranges[after - 1].from > number) after -= 1;
  const before = ranges[after - 1];
  if (before && number <= before.to) return false;
  const joinsBefore = before?.to === number - 1;
  const joinsNext = ranges[after]?.from === number + 1;
  if (joinsBefore && joinsNext) before.to = ranges.splice(after, 1)[0].to;
  else if (joinsBefore) before.to = number;
  else if (joinsNext) ranges[after].from = number;
  else ranges.splice(after, 0, { from: number, to: number });
  if (ranges.length > RANGES_MAX) ranges.shift();
  return true;
}

/** Maps and sets keep the order of insertion: the first is the oldest. */
function forgetBeyond(kept, most) {
  if (kept.size > most) kept.delete(kept.keys().next().value);
}
