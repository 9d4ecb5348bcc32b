/* The bins of a histogram whose data flow: edges are multiples of a round width, and move only when they must.
 *
 * In:  values by index, and a part of them, [start, stop).
 * Out: that part's exact figures, and {width, edges, counts, below, above}: a bin holds edge <= value < next edge. What
 *      lies far out (Tukey's outer fences) is counted beside the bins, so that one wild number does not press all others
 *      into one.
 * From: Freedman and Diaconis, "On the histogram as a density estimator", 1981, for the width: 2 IQR n^(-1/3).
 */

const SAMPLE = 1_024;
const BINS_MAX = 100;
const FENCE_IQRS = 3;
const WIDTH_FACTOR = 2.6;
const USED_SHARE_MIN = 0.6;
const SPARE_SHARE = 0.04;

export class Bins {
  #width = null;
  #first = 0;
  #last = -1;

  /** {count, mean, standard_deviation, min, max, edges, counts, below, above}; null for nothing. */
  of(value, start, stop) {
    if (stop <= start) return null;
    const [lower, median, upper] = quartiles(value, start, stop);
    const figures = sums(value, start, stop, median);
    this.#fit(figures, [lower, upper]);
    return { ...figures, ...this.#counted(value, start, stop), width: this.#width.value };
  }

  /** Keep the bins unless they are too wide, too narrow, too few, or mostly empty at the sides. */
  #fit({ count, min, max, standard_deviation }, [lower, upper]) {
    const spread = upper - lower || standard_deviation || Math.abs(max) * 1e-3 || 1;
    const low = Math.max(min, lower - FENCE_IQRS * spread);
    const high = Math.min(max, upper + FENCE_IQRS * spread);
    const finest = Math.max(Math.abs(low), Math.abs(high)) * 1e-12;
    const wanted = Math.max(2 * spread * Math.cbrt(1 / count), high / BINS_MAX - low / BINS_MAX, finest, Number.MIN_VALUE * 2 ** 80);
    const isFitting = this.#width && wanted < this.#width.value * WIDTH_FACTOR && wanted > this.#width.value / WIDTH_FACTOR;
    if (!isFitting) this.#width = roundWidth(wanted);
    const [first, last] = [this.#width.index(low), this.#width.index(high)];
    const isWithin = first >= this.#first && last <= this.#last;
    const isUsed = last - first + 1 >= USED_SHARE_MIN * (this.#last - this.#first + 1);
    if (isFitting && isWithin && isUsed) return;
    const spare = Math.ceil((last - first) * SPARE_SHARE);
    const grows = isFitting && isUsed;
    this.#first = grows ? Math.min(this.#first, first - spare) : first - spare;
    this.#last = grows ? Math.max(this.#last, last + spare) : last + spare;
  }

  #counted(value, start, stop) {
    const bins = this.#last - this.#first + 1;
    const edges = Float64Array.from({ length: bins + 1 }, (_, i) => this.#width.times(this.#first + i));
    const counts = new Uint32Array(bins);
    const perUnit = 1 / this.#width.value;
    const [low, high] = [edges[0], edges[bins]];
    let [below, above] = [0, 0];
    for (let i = start; i < stop; i++) {
      const each = value[i];
      if (each < low) below += 1;
      else if (each >= high) above += 1;
      else {
        let bin = Math.min(bins - 1, Math.max(0, Math.floor(each * perUnit) - this.#first));
        if (each < edges[bin]) bin -= 1;
        else if (each >= edges[bin + 1]) bin += 1;
        counts[bin] += 1;
      }
    }
    return { edges, counts, below, above };
  }
}

/** Figures by the distances from `pivot`, which lose no digits where all is far from 0, if the pivot is among the values.
 *  `scale` keeps the squares of the largest numbers that there are finite. */
function sums(value, start, stop, pivot, scale = 1) {
  let [sum, squares, min, max] = [0, 0, Infinity, -Infinity];
  for (let i = start; i < stop; i++) {
    const each = value[i];
    const distance = each * scale - pivot * scale;
    sum += distance;
    squares += distance * distance;
    if (each < min) min = each;
    if (each > max) max = each;
  }
  const count = stop - start;
  if (!Number.isFinite(squares)) return sums(value, start, stop, pivot, 1 / (2 * Math.max(Math.abs(min), Math.abs(max), Math.abs(pivot))));
  const variance = Math.max(0, (squares - (sum * sum) / count) / count);
  return { count, mean: pivot + sum / count / scale, standard_deviation: Math.sqrt(variance) / scale, min, max };
}

/** The quartiles of SAMPLE values taken evenly: near enough to choose bins by, and cheap at any count. */
function quartiles(value, start, stop) {
  const size = Math.min(SAMPLE, stop - start);
  const step = (stop - start) / size;
  const sorted = Float64Array.from({ length: size }, (_, i) => value[start + Math.floor(i * step)]).sort();
  return [0.25, 0.5, 0.75].map((share) => sorted[Math.floor((size - 1) * share)]);
}

/** The next of 1, 2, 5 times a power of ten that is not below `wanted`; `times` gives multiples as they are written. */
function roundWidth(wanted) {
  let exponent = Math.floor(Math.log10(wanted));
  let digit = [1, 2, 5].find((each) => each * 10 ** exponent >= wanted * (1 - 1e-9));
  if (!digit) [digit, exponent] = [1, exponent + 1];
  const times = (count) => (exponent >= 0 ? count * digit * 10 ** exponent : (count * digit) / 10 ** -exponent);
  return { value: times(1), times, index: (each) => indexOf(each, times) };
}

/** Which multiple is the last not above `each`; a quotient alone may be off by one at an edge. */
function indexOf(each, times) {
  const near = Math.floor(each / times(1));
  return [near + 1, near].find((index) => times(index) <= each) ?? near - 1;
}
