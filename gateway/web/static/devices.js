/** Each device with the age and quality of its last value. */

import { html, icon, setAttribute, write } from "./dom.js";
import { ABSENT } from "./figures.js";
import { figure, isZero } from "./language.js";
import { knows, say } from "./words.js";

export function createDevices(find) {
  const list = find("devices");
  let cards = [];
  let shape = null;

  return {
    show({ devices }) {
      const now = JSON.stringify(devices.map((each) => [each.id, each.points.map((point) => point.name)]));
      if (now !== shape) {
        shape = now;
        cards = devices.map(createCard);
        list.replaceChildren(...(cards.length > 0 ? cards.map((card) => card.element) : [say("devices.none")]));
      }
      devices.forEach((device, index) => cards[index].show(device));
    },
    tick(sinceS, health) {
      for (const card of cards) card.tick(sinceS, health);
    },
  };
}

function createCard(device) {
  const badge = html("p", { class: "badge" });
  const age = html("p", { class: "device-age muted" });
  const rows = device.points.map(createRow);
  const place = html("p", { class: "muted" });
  const title = html("h3", {}, device.title);
  const element = html("article", { class: `card device role-${device.role}`, "data-device": device.id },
    html("div", { class: "device-head" }, html("span", { class: "device-icon" }, icon(device.role)),
      html("div", { class: "device-name" }, title, place), badge),
    age, html("dl", {}, ...rows.flatMap((row) => row.elements)));
  let last = device;

  /** What is no longer live is not current either. */
  function mark(health) {
    const isOld = last.quality === "good" && (health === "lost" || health === "stuck");
    const quality = isOld ? "stale" : last.quality;
    if (badge.dataset.quality === quality) return;
    badge.dataset.quality = quality;
    badge.replaceChildren(icon(quality === "assumed" ? "good" : quality), say(`quality.${quality}`));
    setAttribute(element, "data-quality", quality);
  }

  function tick(sinceS, health) {
    mark(health);
    const measured = last.age_s === null
      ? say("devices.never") : say("devices.measured", { age_s: older(last.age_s, sinceS) });
    write(age, last.why === null ? measured : say("devices.because", { measured, why: say(`why.${last.why}`) }));
    rows.forEach((row, index) => row.show(last, last.points[index], sinceS));
  }

  return {
    element,
    show(now) {
      last = now;
      write(title, now.title);
      write(place, `${say(`device.${now.role}`)} · ${say("devices.node", { node: now.node })}`);
      tick(0, "good");
    },
    tick,
  };
}

/** Ages from the gateway are exact; those the page adds to are whole seconds, so that they do not shimmer. */
const older = (ageS, sinceS) => (sinceS < 2 ? ageS : Math.round(ageS + sinceS));

function createRow(point) {
  const key = `point.${point.name}`;
  const label = html("dt", {}, knows(key) ? say(key) : point.name);
  const value = html("span", { class: "point-value" });
  const note = html("span", { class: "point-note muted" });
  const cell = html("dd", { "data-point": point.name }, value, note);

  return {
    elements: [label, cell],
    show({ role, age_s: deviceAge }, now, sinceS) {
      write(value, now.value === null ? ABSENT : valueText(role, now));
      setAttribute(cell, "data-why", now.why);
      const isLate = now.age_s !== null && now.age_s > (deviceAge ?? 0) + 2;
      const age = now.value !== null && isLate ? now.age_s : null;
      const notes = [now.why && say(`why.${now.why}`), age !== null && say("flow.old", { age_s: older(age, sinceS) })];
      write(note, notes.filter(Boolean).join(", "));
    },
  };
}

/** A power is shown as its size and a word for its direction, so that nobody needs the sign rule to read it. */
function valueText(role, { name, value }) {
  if (!/^p(_.*)?_w$/.test(name) || typeof value !== "number") return figure(name, value);
  const does = isZero(name, value) ? "zero" : `${role}.${value > 0 ? "positive" : "negative"}`;
  return `${figure(name, Math.abs(value))} · ${say(`does.${does}`)}`;
}
