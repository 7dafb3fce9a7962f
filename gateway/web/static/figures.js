/** Numbers as people read them: the table in gateway/words/figures.py, row by row. */

export const ABSENT = "—";
const SPACE = "\u00a0";
const MINUS = "\u2212";
const LOCALES = { en: "en-US", fr: "fr-FR" };
const PERCENT = { en: "%", fr: `${SPACE}%` };
const two = (digits) => String(digits).padStart(2, "0");
const CLOCK = {
  en: (hour, rest) => `${two(hour)}:${two(rest)}`,
  fr: (hour, rest) => `${hour}${SPACE}h` + (rest ? `${SPACE}${two(rest)}` : ""),
};
const DAY = { en: "d", fr: "j" };
const PLAIN = { v: [1, "V"], a: [2, "A"], hz: [2, "Hz"], c: [1, "°C"] };
const THOUSANDS = { w: "W", wh: "Wh", var: "var", va: "VA" };

/** The figures of one language: `figure("net_w", 1234.5)` is "1.23 kW"; null is a dash. */
export function speakFigures(language) {
  const number = (value, decimals) => {
    const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    const size = new Intl.NumberFormat(LOCALES[language], digits).format(Math.abs(value));
    return (value < 0 && rounded(value, decimals) !== 0 ? MINUS : "") + size;
  };

  const duration = (seconds) => {
    if (rounded(seconds, 1) < 10) return `${number(seconds, seconds % 1 === 0 ? 0 : 1)}${SPACE}s`;
    if (seconds < 90) return `${number(seconds, 0)}${SPACE}s`;
    if (seconds < 5400) return `${number(seconds / 60, 0)}${SPACE}min`;
    if (seconds < 172800) return `${number(seconds / 3600, 0)}${SPACE}h`;
    return `${number(seconds / 86400, 0)}${SPACE}${DAY[language]}`;
  };

  const thousands = (value, unit) => {
    if (Math.abs(rounded(value, 0)) < 1000) return `${number(value, 0)}${SPACE}${unit}`;
    const decimals = Math.abs(rounded(value / 1000, 2)) < 10 ? 2 : 1;
    return `${number(value / 1000, decimals)}${SPACE}k${unit}`;
  };

  const price = (value) => number(value, rounded(value, 2) === rounded(value, 3) ? 2 : 3) + `${SPACE}€/kWh`;

  const clock = (value) => {
    const minute = ((Math.trunc(value) % 1440) + 1440) % 1440;
    return CLOCK[language](Math.floor(minute / 60), minute % 60);
  };

  const figure = (name, value) => {
    if (value === null || value === undefined) return ABSENT;
    if (typeof value !== "number") return String(value);
    const ending = name.split("_").at(-1);
    if (Object.hasOwn(THOUSANDS, ending)) return thousands(value, THOUSANDS[ending]);
    if (ending === "s") return duration(value);
    if (ending === "price") return price(value);
    if (ending === "clock") return clock(value);
    if (ending === "pct") return number(value, 0) + PERCENT[language];
    if (ending === "soc") return number(value * 100, 0) + PERCENT[language];
    if (Object.hasOwn(PLAIN, ending)) return `${number(value, PLAIN[ending][0])}${SPACE}${PLAIN[ending][1]}`;
    return number(value, [0, 1].find((count) => rounded(value, count) === rounded(value, 2)) ?? 2);
  };

  return { figure, number };
}

/** Whether a value is shown as 0 in its unit. */
export const isZero = (name, value) => rounded(name.endsWith("soc") ? value * 100 : value, 0) === 0;

function rounded(value, decimals) {
  const digits = { maximumFractionDigits: decimals, useGrouping: false };
  return Number(new Intl.NumberFormat("en-US", digits).format(value));
}
