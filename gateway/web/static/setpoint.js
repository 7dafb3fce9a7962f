/** What the battery is told and why, and how full it is. */

import { setAttribute, write } from "./dom.js";
import { figure, isZero } from "./language.js";
import { knows, say } from "./words.js";

export function createSetpoint(find) {
  return {
    show(state) {
      const { power_w: power, mode, reason } = state.setpoint;
      write(find("setpoint-order"), tell(power));
      write(find("setpoint-mode"), say(`mode.${mode}`));
      setAttribute(find("setpoint-mode"), "data-mode", mode);
      // A newer gateway may know reasons this text file does not: its code is still better than nothing.
      const key = `reason.${reason.code}`;
      write(find("setpoint-reason"), knows(key) ? say(key, reason.numbers) : reason.code);
      write(find("setpoint-now"), doing(state.flow.battery_w));
      write(find("setpoint-held"), held(state.orders?.[state.setpoint.device]));
      showCharge(find, state);
    },
  };
}

function tell(power) {
  if (power === null) return say("setpoint.none");
  if (isZero("power_w", power)) return say("setpoint.zero");
  return say(power > 0 ? "setpoint.charge" : "setpoint.discharge", { power_w: power });
}

/** What the device itself says of the last order; nothing before the first. */
function held(order) {
  if (!order) return "";
  const { asked_w: asked, applied_w: applied, held_w: now, by, why } = order;
  if (why === "readback" && now !== null) return say("setpoint.differs", { asked: tell(asked), held: tell(now) });
  if (why) return say("setpoint.failed", { why: knows(`order.${why}`) ? say(`order.${why}`) : why });
  if (applied === null) return by ? say("setpoint.own") : "";
  return now === null ? say("setpoint.taken", { asked: tell(applied) }) : say("setpoint.held", { held: tell(now) });
}

function doing(power) {
  if (power === null) return say("setpoint.unknown");
  const does = isZero("power_w", power) ? "zero" : `battery.${power > 0 ? "positive" : "negative"}`;
  return say("setpoint.now", { does: say(`does.${does}`), power: figure("power_w", Math.abs(power)) });
}

function showCharge(find, { soc, reserve, devices }) {
  const battery = devices.find((device) => device.role === "battery");
  const why = battery?.points.find((point) => point.name.startsWith("soc"))?.why ?? battery?.why ?? "no_data";
  write(find("soc-figure"), figure("soc", soc));
  const meter = find("soc-meter");
  meter.querySelector(".meter-fill").style.inlineSize = `${100 * (soc ?? 0)}%`;
  meter.querySelector(".meter-mark").style.insetInlineStart = `${100 * reserve}%`;
  setAttribute(meter, "aria-valuenow", soc === null ? null : Math.round(100 * soc));
  const numbers = { soc_pct: soc === null ? null : 100 * soc, reserve_pct: 100 * reserve };
  setAttribute(meter, "aria-valuetext", say("soc.label", numbers));
  write(find("soc-reserve"), soc === null ? say(`why.${why}`) : say("soc.reserve", numbers));
}
