/** The set-points with their reasons, and the state of charge. */

import { setAttribute, write } from "./dom.js";
import { figure, isZero } from "./language.js";
import { labels } from "./names.js";
import { createSetpointRows, reasonText, setpointText, shownMode, staysText } from "./setpoints.js";
import { knows, say } from "./words.js";

export function createSetpoint(find) {
  const others = createSetpointRows(find("setpoint-others"));
  return {
    show(state) {
      showCharge(find, state);
      if (!state.setpoint) return; // a building in which nothing is commanded, or before the first decision
      const { reason } = state.setpoint;
      const mode = shownMode(state.setpoint, state.orders);
      const names = labels(state.setpoints);
      write(find("setpoint-name"), state.setpoints.length > 1 ? names[0] : "");
      write(find("setpoint-order"), setpointText(state.setpoints[0]));
      write(find("setpoint-mode"), say(`mode.${mode}`));
      setAttribute(find("setpoint-mode"), "data-mode", mode);
      write(find("setpoint-reason"), reasonText(reason));
      write(find("setpoint-now"), state.setpoints[0].role === "battery" ? doing(state.flow.battery_w) : "");
      write(find("setpoint-held"), readback(state.orders?.[state.setpoint.device], state.setpoints[0].role));
      write(find("setpoint-stays"), staysText(state.setpoints[0]));
      others.show(state.setpoints.slice(1).map((each) => ({ ...each, mode: shownMode(each, state.orders) })), names.slice(1));
    },
  };
}

/** What was read back from the device after the last order; nothing before the first. */
function readback(answer, role) {
  if (!answer) return "";
  const { asked_w: asked, applied_w: applied, held_w: now, by, why } = answer;
  const inWords = (power) => setpointText({ role, power_w: power });
  if (why === "readback" && now !== null) return say("setpoint.differs", { asked: inWords(asked), held: inWords(now) });
  if (why) return say("setpoint.failed", { why: knows(`order.${why}`) ? say(`order.${why}`) : why });
  if (applied === null) return by ? say("setpoint.own") : "";
  return now === null ? say("setpoint.taken", { asked: inWords(applied) }) : say("setpoint.held", { held: inWords(now) });
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
