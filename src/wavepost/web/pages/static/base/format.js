/** Numbers, sizes, times and dates as the reader writes them. */

import { language } from "./words.js";

/** The reader's own one of the page's language: Britons write dates unlike Americans. */
const locale = navigator.languages.find((wanted) => wanted.split("-")[0] === language) ?? language;

const formats = new Map();

/** The format for numbers of these options: to make one takes longer than to use it a hundred times. */
function numbers(options = {}) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(locale, options));
  return formats.get(key);
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
const DAY = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
const DAY_AND_TIME = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

export const number = (value) => numbers().format(value);

/** `1.5 MB`, of a thousand bytes each. */
export function bytes(count) {
  let unit = 0;
  for (; count >= 999.5 && unit < UNITS.length - 1; unit++) count /= 1000;
  return numbers({
    style: "unit",
    unit: UNITS[unit],
    unitDisplay: unit ? "short" : "long",
    maximumFractionDigits: unit && count < 99.5 ? 1 : 0,
  }).format(count);
}

/** `1:02:15`, `2:15` or `0:07`. */
export function clock(seconds) {
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 60) % 60, whole % 60].map((part) =>
    String(part).padStart(2, 0),
  );
  return whole >= 3600
    ? `${Math.floor(whole / 3600)}:${parts.join(":")}`
    : `${Math.floor(whole / 60)}:${parts[1]}`;
}

/** `45 sec` or `12 min` or `3 hr`, for what takes a while yet. */
export function span(seconds) {
  const [value, unit] =
    seconds < 90
      ? [seconds, "second"]
      : seconds < 5400
        ? [seconds / 60, "minute"]
        : [seconds / 3600, "hour"];
  return numbers({
    style: "unit",
    unit,
    unitDisplay: "short",
    maximumFractionDigits: 0,
  }).format(Math.max(1, value));
}

export const day = (date) => DAY.format(new Date(date));
export const dayAndTime = (date) => DAY_AND_TIME.format(new Date(date));
