/** Set-points and reasons in words, and a row for each device but the first with its set-point and why. */

import { html, icon, setAttribute, write } from "./dom.js";
import { isZero } from "./language.js";
import { knows, say } from "./words.js";

/** A set-point in words: batteries charge and discharge, loads draw, PV is curtailed. */
export function setpointText({ role, power_w: power }) {
  if (power === null) return say(role === "pv" ? "setpoint.free" : "setpoint.none");
  if (role === "pv") return say("setpoint.produce", { power_w: power });
  if (role === "load") return isZero("power_w", power) ? say("setpoint.off") : say("setpoint.take", { power_w: power });
  if (isZero("power_w", power)) return say("setpoint.zero");
  return say(power > 0 ? "setpoint.charge" : "setpoint.discharge", { power_w: power });
}

/** What is done with a device: control that is not obeyed is none. */
export function shownMode({ device, mode }, orders) {
  const why = orders?.[device]?.why;
  return mode === "control" && why && why !== "readback" ? "refused" : mode;
}

/** A reason in words; a code that this page does not know is still better than nothing. */
export function reasonText(reason) {
  const key = `reason.${reason?.code}`;
  return knows(key) ? say(key, reason.numbers) : (reason?.code ?? "");
}

/** A set-point that nothing ends when its node is lost says so. */
export function staysText({ power_w: power, stays = false }) {
  return stays && power !== null ? say("setpoint.stays") : "";
}

export function createSetpointRows(place) {
  let rows = new Map();

  function show(setpoints, names) {
    if ([...rows.keys()].join() !== setpoints.map((each) => each.device).join()) {
      rows = new Map(setpoints.map((each) => [each.device, createRow(each)]));
      place.replaceChildren(...[...rows.values()].map((row) => row.element));
    }
    setpoints.forEach((each, index) => rows.get(each.device).show(each, names[index]));
    place.hidden = setpoints.length === 0;
  }

  return { show };
}

function createRow({ role, kind }) {
  const name = html("span", { class: "setpoint-row-name" });
  const value = html("span", { class: "setpoint-row-power" });
  const reason = html("span", { class: "setpoint-row-reason muted" });
  const stays = html("span", { class: "setpoint-row-reason muted" });
  const element = html("li", { class: `role-${role}` }, html("span", { class: "setpoint-row-icon" }, icon(kind ?? role)), name, value, reason, stays);

  return {
    element,
    show(setpoint, label) {
      const isOurs = setpoint.mode === "control";
      write(name, label);
      write(value, isOurs || setpoint.mode === "hold" ? setpointText(setpoint) : say(`mode.${setpoint.mode}`));
      write(reason, reasonText(setpoint.reason));
      write(stays, staysText(setpoint));
      setAttribute(element, "data-mode", setpoint.mode);
    },
  };
}
