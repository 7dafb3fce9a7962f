/** The parts behind the numbers: broker, nodes, database. */

import { html, icon, setAttribute } from "./dom.js";
import { say } from "./words.js";

export function createLinks(find) {
  const list = find("links");
  let last = "";

  return {
    show({ links, database }) {
      const rows = [brokerRow(links), ...nodeRows(links), databaseRow(database)];
      const now = JSON.stringify(rows);
      if (now === last) return;
      last = now;
      list.replaceChildren(...rows.map(createRow));
    },
  };
}

const upOrDown = (isUp) => say(isUp ? "links.up" : "links.down");

const brokerRow = ({ broker }) => ({ name: say("links.broker"), isGood: broker, notes: [upOrDown(broker)] });

function nodeRows({ nodes }) {
  if (nodes.length === 0) return [{ name: say("links.node", { node: "" }), isGood: false, notes: [say("links.no_node")] }];
  return nodes.map(({ id, up, age_s: ageS, lost }) => {
    const heard = ageS === null || ageS < 2 ? null : say("links.heard", { age_s: Math.round(ageS) });
    const losses = lost > 0 ? say("links.lost", { count: lost }) : say("links.none_lost");
    return { name: say("links.node", { node: id }), isGood: up, notes: [upOrDown(up), heard, losses] };
  });
}

function databaseRow({ configured, waiting, error }) {
  const name = say("links.database");
  if (!configured) return { name, isGood: true, notes: [say("links.no_database")] };
  const backlog = waiting > 0 ? say("links.waiting", { count: waiting }) : say("links.all_sent");
  return { name, isGood: error === null, notes: [upOrDown(error === null), backlog, error] };
}

function createRow({ name, isGood, notes }) {
  const row = html("div", { class: "link" }, icon(isGood ? "good" : "absent"), html("dt", {}, name),
    html("dd", {}, notes.filter(Boolean).join(" · ")));
  setAttribute(row, "data-good", isGood);
  return row;
}
