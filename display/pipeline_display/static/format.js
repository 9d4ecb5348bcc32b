/* Numbers, times and units as people read them; the browser's language and time zone. */

const LOCALE = navigator.language || "en";
export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

const clock = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "medium", hour12: false });
const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const KIB_STEPS = [
  { unit: "GiB", by: 2 ** 20 },
  { unit: "MiB", by: 2 ** 10 },
  { unit: "KiB", by: 1 },
];

/** "UTC+1", as the zone stands at this moment. */
export function zoneOffset() {
  const minutes = -new Date().getTimezoneOffset();
  const sign = minutes < 0 ? "−" : "+";
  const rest = Math.abs(minutes) % 60;
  if (minutes === 0) return "UTC";
  return `UTC${sign}${Math.floor(Math.abs(minutes) / 60)}${rest ? `:${String(rest).padStart(2, "0")}` : ""}`;
}

/** The zone's name with its offset; the name alone where it says the same. */
export function zoneText() {
  const offset = zoneOffset();
  return ZONE === offset || !ZONE ? offset : `${ZONE}, ${offset}`;
}

export function timeOfDay(ms) {
  return clock.format(ms);
}

export function timeWithMs(ms) {
  return `${clock.format(ms)}.${String(Math.floor(((ms % 1000) + 1000) % 1000)).padStart(3, "0")}`;
}

/** For what may have been days ago. */
export function dateAndTime(ms) {
  return day.format(ms);
}

/** Four significant digits, separators, no exponent; a dash for nothing. */
export function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1000 || Number.isInteger(value)) return whole.format(value);
  const digits = size >= 100 ? 1 : size >= 1 ? 2 : 3;
  return new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 0, maximumFractionDigits: digits }).format(value);
}

/** As many decimals as suit a column whose greatest size is `size`; so that the points stand below each other. */
export function inColumn(value, size) {
  if (value === null || value === undefined) return "–";
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 4;
  return value.toLocaleString(LOCALE, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Ages and their spread, in years: a tenth is some five weeks. */
export function years(value) {
  return value.toLocaleString(LOCALE, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

export function count(value, noun) {
  return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}

export function seconds(value) {
  if (value === null || value === undefined) return "–";
  return value < 1 ? `${number(Math.round(value * 1000))} ms` : `${number(Math.round(value * 100) / 100)} s`;
}

/** How to show values of `unit` whose greatest is `max`: KiB become MiB or GiB where that reads better. */
export function scaleOf(unit, max) {
  if (!unit.startsWith("KiB")) return { unit, by: 1 };
  const step = KIB_STEPS.find((each) => max >= each.by) ?? KIB_STEPS.at(-1);
  return { unit: unit.replace("KiB", step.unit), by: step.by };
}
