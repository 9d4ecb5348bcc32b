/* A series as thin as the screen: of the numbers in a pixel's column the least and the greatest, so no extreme is lost.
 *
 * In:  a stream, and the part of it that is shown. Out: rows in order of time.
 * Columns begin at multiples of their own length, so that the same numbers share one in every frame, and nothing flickers.
 */

const PER_COLUMN = 2;

/** `start` to `end` in ms on `columns` pixels; `stop`: the first index that is not shown. */
export function extremes(stream, { start, end, stop, columns }) {
  const first = stream.firstAfter(start);
  if (stop - first <= PER_COLUMN * columns) return d3.range(first, stop).map((i) => stream.row(i));
  const columnMs = (end - start) / columns;
  const rows = [];
  for (let from = first, to; from < stop; from = to) {
    const column = Math.floor(stream.timeMs(from) / columnMs);
    to = Math.min(stop, stream.firstAfter((column + 1) * columnMs));
    if (to === from) to += 1;
    const [low, high] = lowestAndHighest(stream.value, from, to);
    rows.push(...[...new Set([Math.min(low, high), Math.max(low, high)])].map((i) => stream.row(i)));
  }
  return rows;
}

function lowestAndHighest(value, from, to) {
  let [low, high] = [from, from];
  for (let i = from + 1; i < to; i++) {
    if (value[i] < value[low]) low = i;
    if (value[i] > value[high]) high = i;
  }
  return [low, high];
}
