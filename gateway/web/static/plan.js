/** The plan of the coming day: what the battery may do when, drawn as levels of its charge, and why. */

import { html, setAttribute, write } from "./dom.js";
import { figure, language, number } from "./language.js";
import { createLoadRows } from "./loadplan.js";
import { createPlanChart } from "./planchart.js";
import { reasonText } from "./setpoints.js";
import { say } from "./words.js";

const AGAIN_MS = 60000;
const ROWS = ["charge", "reserve", "fill", "export", "expected"];

export function createPlan(find) {
  const legend = createLegend(find("plan-legend"));
  const loads = createLoadRows(find("plan-loads"));
  const chart = createPlanChart(find("plan-chart"), { onPoint: point });
  let asked = 0;
  let made = null;
  let plan = null;
  let zone = null;

  async function ask() {
    asked = Date.now();
    try {
      const answer = await fetch("/api/plan", { signal: AbortSignal.timeout(10000) });
      if (!answer.ok) throw new Error(`plan: ${answer.status}`);
      show(await answer.json());
    } catch {
      write(find("plan-now"), say("plan.failed")); // tried again by the next tick
    }
  }

  function show(next) {
    plan = next;
    const has = plan.t.length > 0;
    find("plan-body").hidden = !has;
    write(find("plan-now"), has ? reasonText(plan.reasons[0]) : `${say("plan.none")} ${reasonText(plan.why)}`);
    write(find("plan-late"), [...(has && plan.why ? [plan.why] : []), ...plan.notes].map(reasonText).join(" "));
    loads.show(plan);
    if (has) chart.show({ plan, zone });
    setAttribute(find("plan-chart"), "aria-label", has ? say("plan.label", { hours: (plan.t.length * plan.step_s) / 3600 }) : say("plan.title"));
  }

  function point(index) {
    const clock = new Intl.DateTimeFormat(language === "en" ? "en-GB" : "fr-FR", { timeZone: zone, weekday: "short", hour: "2-digit", minute: "2-digit" });
    legend.show(plan, index, clock.format(plan.t[index] * 1000));
    write(find("plan-reason"), reasonText(plan.reasons[index]));
    loads.point(index);
  }

  find("plan-chart").addEventListener("focus", () => setAttribute(find("plan-reason"), "aria-live", "polite"));
  find("plan-chart").addEventListener("blur", () => setAttribute(find("plan-reason"), "aria-live", null));
  return {
    show(state) {
      zone = state.site.time_zone;
      find("plan").hidden = state.plan === undefined;
      if (state.plan !== undefined && state.plan.made_s !== made) {
        made = state.plan.made_s;
        ask();
      }
    },
    tick(_, health) {
      if (health === "good" && asked > 0 && !document.hidden && Date.now() - asked > AGAIN_MS) ask();
    },
  };
}

function createLegend(place) {
  const values = {};
  const item = (name) => {
    values[name] = html("span", { class: "legend-value" });
    return html("li", { class: `plan-${name}` }, html("span", { class: "swatch", "aria-hidden": "true" }), html("span", {}, say(`plan.${name}`)), values[name]);
  };
  const time = html("p", { class: "plan-time muted" });
  const price = html("p", { class: "plan-price" });
  place.append(html("ul", {}, ...ROWS.map(item)), html("div", {}, time, price));

  return {
    show(plan, index, moment) {
      for (const name of ROWS) write(values[name], figure("soc", plan[name][index]));
      write(time, moment);
      const prices = { buy: number(plan.buy[index], 4), sell: number(plan.sell[index], 4), name: plan.names[index] };
      write(price, say("plan.price", prices));
    },
  };
}
