/** The stream of states, and how far it can be believed. */

const STUCK_MS = 5000; // five cycles without a new one
const DEAF_MS = 15000; // beyond the gateway's heartbeat: the link is dead although nobody said so
const RETRY_MS = 2000;
const GRACE_MS = 1500; // a connection that is opened anew is not yet a lost one

/**
 * Follows the gateway: `onState(state)` for each new state, `onHealth(health, ageS)` twice a second.
 * Health is connecting, never (no state so far), good, stuck (open, but no new cycle) or lost; the age is that of the last new cycle.
 * The wall clock measures it: the browser's monotonic one may stand still while a phone sleeps.
 */
export function follow({ onState, onHealth }) {
  const start = Date.now();
  let source = null;
  let isOpen = false;
  let lastCycle = null;
  let lastNew = null;
  let lastTry = 0;
  let graceUntil = 0;

  function receive(event) {
    isOpen = true;
    const state = JSON.parse(event.data);
    if (state.cycle === lastCycle) return; // sent again after a reconnection: not news
    lastCycle = state.cycle;
    lastNew = Date.now();
    onState(state);
    judge();
  }

  function connect() {
    source?.close();
    lastTry = Date.now();
    graceUntil = isOpen ? lastTry + GRACE_MS : 0;
    isOpen = false;
    source = new EventSource("/api/live");
    source.addEventListener("open", () => { isOpen = true; judge(); });
    source.addEventListener("error", () => { isOpen = false; graceUntil = 0; judge(); });
    source.addEventListener("state", receive);
  }

  function judge() {
    const now = Date.now();
    const ageMs = lastNew === null ? null : Math.max(0, now - lastNew);
    const silentMs = now - Math.max(lastTry, lastNew ?? 0);
    const isOver = source.readyState === EventSource.CLOSED && now - lastTry > RETRY_MS;
    if (isOver || silentMs > DEAF_MS) connect();
    if (ageMs === null) onHealth(now - start < GRACE_MS ? "connecting" : "never", null);
    else onHealth(health(isOpen || now < graceUntil, ageMs), ageMs / 1000);
  }

  connect();
  setInterval(judge, 500);
  document.addEventListener("visibilitychange", judge);
}

function health(isOpen, ageMs) {
  if (!isOpen) return "lost";
  return ageMs > STUCK_MS ? "stuck" : "good";
}
