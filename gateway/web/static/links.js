/** The parts behind the numbers: broker, nodes, database. */

import { html, icon, setAttribute } from "./dom.js";
import { troublesOf } from "./troubles.js";
import { knows, say } from "./words.js";

export function createLinks(find) {
  const list = find("links");
  let last = "";

  return {
    show({ links, database }) {
      const rows = [brokerRow(links), ...nodeRows(links), ...clockRows(links), ...storeRows(database), databaseRow(database)];
      const now = JSON.stringify(rows);
      if (now === last) return;
      last = now;
      list.replaceChildren(...rows.map(createRow));
    },
  };
}

const upOrDown = (isUp) => say(isUp ? "links.up" : "links.down");

function brokerRow({ broker, takeovers }) {
  const strife = takeovers && say("links.takeovers", { count: takeovers });
  return { name: say("links.broker"), isGood: broker && !strife, notes: [upOrDown(broker), strife] };
}

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
function nodeTroubles(node) {
  const { mode, refused, heard, update, test, has_table: hasTable, twin_age_s: twinS, strays, ahead_s: aheadS } = node;
  return [
    twinS !== undefined && say("links.twin", { age_s: Math.round(twinS) }),
    mode === "safe" && say("links.safe"),
    mode === "trial" && say("links.trial"),
    refused && say("links.refused", { why: refused }),
    !refused && !hasTable && mode !== "safe" && say("why.table"),
    !heard && say("links.unheard"),
    test && test !== "good" && say("links.test", { found: test }),
    update && say("links.update", { how: inWords("node.update", update) }),
    strays && say("links.strays", { count: strays }),
    aheadS && say(aheadS > 0 ? "links.ahead" : "links.behind", { off_s: Math.abs(aheadS) }),
  ].filter(Boolean);
}

const lastRestart = ({ why }) => why && say("links.restart", { why: inWords("restart", why) });

/** A node's word, and what it adds behind a colon; as it is when we have no text for it. */
function inWords(family, text) {
  const [word, ...more] = text.split(": ");
  const key = `${family}.${word}`;
  return knows(key) ? [say(key), ...more].join(" ") : text;
}

/** The store is shown when something is wrong with it. */
function storeRows(database) {
  const notes = troublesOf(database, "store_");
  return notes.length > 0 ? [{ name: say("links.store"), isGood: false, notes }] : [];
}

function databaseRow(database) {
  const { configured, waiting, error, troubles = [] } = database;
  const name = say("links.database");
  if (!configured) return { name, isGood: true, notes: [say("links.no_database")] };
  const backlog = waiting > 0 ? say("links.waiting", { count: waiting }) : say("links.all_sent");
  const untold = troubles.length === 0 ? error : null;
  const isDown = untold !== null || troubles.some(({ code }) => code.startsWith("database_") && code !== "database_refused");
  const told = troublesOf(database, "database_");
  return { name, isGood: !isDown && told.length === 0, notes: [upOrDown(!isDown), backlog, ...told, untold] };
}

function createRow({ name, isGood, notes }) {
  const row = html("div", { class: "link" }, icon(isGood ? "good" : "absent"), html("dt", {}, name),
    html("dd", {}, notes.filter(Boolean).join(" · ")));
  setAttribute(row, "data-good", isGood);
  return row;
}
