/** The parts behind the numbers: broker, nodes, database. */

import { html, icon, setAttribute } from "./dom.js";
import { knows, say } from "./words.js";

export function createLinks(find) {
  const list = find("links");
  let last = "";

  return {
    show({ links, database }) {
      const rows = [brokerRow(links), ...nodeRows(links), ...clockRows(links), databaseRow(database)];
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
  return nodes.map((node) => {
    const { id, up, age_s: ageS, lost, fw, build } = node;
    const heard = ageS === null || ageS < 2 ? null : say("links.heard", { age_s: Math.round(ageS) });
    const losses = lost > 0 ? say("links.lost", { count: lost }) : say("links.none_lost");
    const firmware = fw && say("links.firmware", { fw, build: String(build) });
    const troubles = up ? nodeTroubles(node) : [];
    const notes = [upOrDown(up), heard, losses, ...troubles, firmware, lastRestart(node)];
    return { name: say("links.node", { node: id }), isGood: up && troubles.length === 0, notes };
  });
}

/** Whose time it is, where the machine of the gateway does not know it. */
function clockRows({ clock }) {
  if (!clock) return [];
  return [{ name: say("links.clock"), isGood: clock === "nodes", notes: [say(`links.clock_${clock}`)] }];
}

/** Why a connected node does not do all of its work. */
function nodeTroubles({ mode, refused, heard, update, test, has_table: hasTable, twin_age_s: twinS }) {
  return [
    twinS !== undefined && say("links.twin", { age_s: Math.round(twinS) }),
    mode === "safe" && say("links.safe"),
    mode === "trial" && say("links.trial"),
    refused && say("links.refused", { why: refused }),
    !refused && !hasTable && mode !== "safe" && say("why.table"),
    !heard && say("links.unheard"),
    test && test !== "good" && say("links.test", { found: test }),
    update && say("links.update", { how: inWords("node.update", update) }),
  ].filter(Boolean);
}

const lastRestart = ({ why }) => why && say("links.restart", { why: inWords("restart", why) });

/** A node's word, and what it adds behind a colon; as it is when we have no text for it. */
function inWords(family, text) {
  const [word, ...more] = text.split(": ");
  const key = `${family}.${word}`;
  return knows(key) ? [say(key), ...more].join(" ") : text;
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
