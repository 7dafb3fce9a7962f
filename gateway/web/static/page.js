/** Puts the page together: one stream of states, one view per card. */

import { setAttribute, write } from "./dom.js";
import { createDevices } from "./devices.js";
import { createFlow } from "./flow.js";
import { language } from "./language.js";
import { createLinks } from "./links.js";
import { follow } from "./live.js";
import { createPlan } from "./plan.js";
import { createSetpoint } from "./setpoint.js";
import { createTrend } from "./trend.js";
import { troublesOf } from "./troubles.js";
import { say } from "./words.js";

const find = (id) => document.getElementById(id);
const views = [
  createFlow(find),
  createSetpoint(find),
  createDevices(find),
  createLinks(find),
  createPlan(find),
  createTrend(find),
];
let version = null;

follow({
  onState(state) {
    if (version !== null && state.version !== version) location.reload(); // the gateway was upgraded under this page
    version = state.version;
    showSite(state);
    showAlarm(troublesOf(state.database, "store_"));
    for (const view of views) view.show(state);
  },
  onHealth(health, ageS) {
    showHealth(health, ageS);
    for (const view of views) view.tick?.(ageS ?? 0, health);
  },
});

function showSite(state) {
  write(find("site"), state.site.name);
  const clock = { timeZone: state.site.time_zone, weekday: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" };
  const time = find("clock").querySelector("time");
  write(time, new Intl.DateTimeFormat(language === "en" ? "en-GB" : "fr-FR", clock).format(new Date(state.time)));
  setAttribute(time, "datetime", state.time);
  write(find("version"), say("page.version", { version: state.version }));
  document.title = `${state.site.name} · ${say("page.title")}`;
}

/** What somebody must see to: it stays until it is mended. */
function showAlarm(sentences) {
  find("alarm").hidden = sentences.length === 0;
  if (sentences.length > 0) write(find("alarm").querySelector("p"), say("links.store_alarm", { said: sentences.join(" · ") }));
}

function showHealth(health, ageS) {
  const isBad = !["connecting", "good"].includes(health);
  setAttribute(document.body, "data-live", health);
  write(find("live").querySelector(".pill-text"), say(`live.${health}`));
  find("banner").hidden = !isBad;
  if (isBad) write(find("banner").querySelector("p"), say(`live.${health}_text`, { age_s: Math.floor(ageS ?? 0) }));
}
