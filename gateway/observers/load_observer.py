"""What is seen of each load, cycle by cycle: since when a car is there, what it has got, when the water was hot.

Moments are UTC, so that they outlive a restart; a clock that was set never leaves one in the future. Lengths of time
come from the monotonic clock.
"""

import asyncio
import contextlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo

from gateway.adapters.store.history import Past
from gateway.adapters.store.outbox import OutboxError
from gateway.core.loads.carry import RUNS_W
from gateway.core.loads.timed import Appliance
from gateway.core.model.state import SiteState
from gateway.planning.jobs import Seen, load_of, next_clock
from gateway.ports import Cycle
from gateway.site.file.load_sections import (
    ApplianceSection,
    CarSection,
    LoadSection,
    SwitchableSection,
    TankSection,
)

NOTE = "loads"
DAY_S = 86_400.0
LONGEST_S = 5.0  # between two cycles that still belong together
FRESH_S = 120.0  # a temperature, or whether a car is there
SESSION_S = 1.0  # after the arrival: an older number is that of the car before
HOT_K = 0.5  # below the temperature against legionella that still counts
ANEW_WH = 50.0  # a session's energy falls by more only when another one has begun
RUN_SHARE = 0.1  # of its highest power: an appliance that draws more runs
KEPT_WH = 100.0  # energies are kept in steps, so that the disk is not written each second
AGAIN_S = 10.0  # after a store that could not be written


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A load now: what `Seen` says of it, and the monotonic moment at which its car came (-inf: before we looked)."""

    seen: Seen = field(default_factory=Seen)
    arrived_s: float = -math.inf


def followed(before: Sight, section: LoadSection, state: SiteState, dt_s: float, zone: tzinfo) -> Sight:
    """After this cycle, `dt_s` after the one before; `section` has a device."""
    assert section.device is not None  # noqa: S101 - the caller asked
    utc_s = state.utc_s
    before = replace(before, seen=_not_ahead(before.seen, utc_s))
    match section:
        case CarSection():
            return _car(before, section, state)
        case TankSection():
            temp_c = state.value(section.device, "temp_c", max_age_s=FRESH_S)
            hot = temp_c is not None and temp_c >= section.hygiene_c - HOT_K
            since_s = utc_s if hot or before.seen.hygiene_s is None else before.seen.hygiene_s
            return replace(before, seen=replace(before.seen, hygiene_s=since_s))
        case ApplianceSection():
            return replace(before, seen=_appliance(before.seen, section, state))
        case SwitchableSection():
            return replace(before, seen=_switchable(before.seen, section, state, dt_s, zone))
    return before


def _car(before: Sight, section: CarSection, state: SiteState) -> Sight:
    """Plugged since, and what this session has brought into its battery (Wh)."""
    seen, device = before.seen, str(section.device)
    plugged = state.value(device, "plugged", max_age_s=FRESH_S)
    if plugged is None:
        return before
    if plugged < 0.5:
        return Sight(seen=Seen())
    if seen.since_s is None:
        before, seen = Sight(arrived_s=state.now_s), Seen(since_s=state.utc_s)
    session = state.reading(device, "e_session_wh")
    if session.value is None or session.measured_s <= before.arrived_s + SESSION_S:
        return replace(before, seen=seen)
    held_wh = session.value * section.efficiency
    since_s = state.utc_s if held_wh < seen.held_wh - ANEW_WH else seen.since_s
    return replace(before, seen=replace(seen, held_wh=held_wh, since_s=since_s))


def _appliance(seen: Seen, section: ApplianceSection, state: SiteState) -> Seen:
    """Asked for since, and since when it runs; forgotten when nobody asks any more and the run is over."""
    device, load = str(section.device), load_of("", section)
    assert isinstance(load, Appliance)  # noqa: S101 - of that section
    asked = state.value(device, "asked", max_age_s=FRESH_S)
    power_w = state.value(device, "p_w", max_age_s=LONGEST_S)
    over = seen.started_s is None or state.utc_s >= seen.started_s + load.length_s
    if asked is not None and asked < 0.5 and over:
        return Seen()
    if asked is not None and asked >= 0.5 and seen.since_s is None:
        seen = replace(seen, since_s=state.utc_s)
    runs = power_w is not None and power_w >= RUN_SHARE * max(section.quarters_w)
    if runs and seen.started_s is None:
        seen = replace(seen, started_s=state.utc_s, since_s=seen.since_s or state.utc_s)
    return seen


def _switchable(seen: Seen, section: SwitchableSection, state: SiteState, dt_s: float, zone: tzinfo) -> Seen:
    """`since_s` is the beginning of its hours, `held_wh` what it has drawn in them."""
    begin_s = last_clock(state.utc_s, section.earliest, zone)
    power_w = state.value(str(section.device), "p_w", max_age_s=LONGEST_S)
    drawn_wh = power_w * dt_s / 3600.0 if power_w is not None and power_w > RUNS_W else 0.0
    if seen.since_s != begin_s:
        return Seen(since_s=begin_s, held_wh=drawn_wh)
    return replace(seen, held_wh=seen.held_wh + drawn_wh)


def _not_ahead(seen: Seen, utc_s: float) -> Seen:
    """Without moments that have not come yet: the clock was set back."""

    def past(at_s: float | None) -> float | None:
        return None if at_s is None else min(at_s, utc_s)

    return replace(seen, since_s=past(seen.since_s), started_s=past(seen.started_s), hygiene_s=past(seen.hygiene_s))


def last_clock(utc_s: float, clock: str, zone: tzinfo) -> float:
    """The last moment (UTC) up to this one at which local clocks showed that time."""
    at_s = next_clock(utc_s - DAY_S - 3600.0, clock, zone)
    while (later_s := next_clock(at_s, clock, zone)) <= utc_s:
        at_s = later_s
    return at_s


class LoadObserver:
    """Follows the loads that have a device. Fits the port Display; `run` keeps what a restart must not forget."""

    def __init__(self, *, sections: Mapping[str, LoadSection], zone: tzinfo, past: Past) -> None:
        self._sections = {id_: section for id_, section in sections.items() if section.device is not None}
        self._zone = zone
        self._past = past
        self._sights = {id_: Sight(seen=seen) for id_, seen in recalled(past.note(NOTE)).items()}
        self._kept = self._plain()
        self._last_s: float | None = None
        self._news = asyncio.Event()

    def show(self, cycle: Cycle) -> None:
        """Take a cycle in."""
        now_s = cycle.state.now_s
        dt_s = min(max(now_s - self._last_s, 0.0), LONGEST_S) if self._last_s is not None else 0.0
        self._last_s = now_s
        for id_, section in self._sections.items():
            sight = followed(self._sights.get(id_, Sight()), section, cycle.state, dt_s, self._zone)
            switched = cycle.lasting.switched.get(id_)
            self._sights[id_] = replace(sight, seen=replace(sight.seen, switched=switched))
        if self._plain() != self._kept:
            self._news.set()

    def seen(self, state: SiteState) -> dict[str, Seen]:
        """What is known of each load now."""
        return {id_: self._now(id_, section, state) for id_, section in self._sections.items()}

    def events(self) -> tuple[object, ...]:
        """Changes when something has happened that the plan did not know: a car came or left, a run was asked for."""
        return tuple(
            (id_, sight.seen.since_s, sight.seen.started_s is None)
            for id_, sight in self._sights.items()
            if isinstance(self._sections.get(id_), CarSection | ApplianceSection)
        )

    async def run(self) -> None:
        """Keep for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            with contextlib.suppress(OutboxError):  # told by the cycle, whose rows cannot be written either
                await self.keep()
                continue
            await asyncio.sleep(AGAIN_S)
            self._news.set()

    async def keep(self) -> None:
        """Keep now. Raises OutboxError."""
        plain = self._plain()
        await self._past.keep_note(NOTE, plain)
        self._kept = plain

    def _now(self, id_: str, section: LoadSection, state: SiteState) -> Seen:
        seen = self._sights.get(id_, Sight()).seen
        if isinstance(section, SwitchableSection) and seen.since_s is not None:
            over = next_clock(seen.since_s, section.latest, self._zone) <= state.utc_s
            return replace(seen, held_wh=0.0 if over else seen.held_wh)
        return replace(seen, temp_c=state.value(str(section.device), "temp_c", max_age_s=FRESH_S))

    def _plain(self) -> str:
        return json.dumps({id_: _kept(sight.seen) for id_, sight in sorted(self._sights.items())})


def _kept(seen: Seen) -> dict[str, float | None]:
    """Moments and coarse energies; a temperature is read anew, and what is hot all the time is kept once an hour."""
    hygiene_s = None if seen.hygiene_s is None else seen.hygiene_s // 3600.0 * 3600.0
    held_wh = seen.held_wh // KEPT_WH * KEPT_WH
    return {"since_s": seen.since_s, "started_s": seen.started_s, "held_wh": held_wh, "hygiene_s": hygiene_s}


def recalled(text: str | None) -> dict[str, Seen]:
    """From the store; what is not understood is forgotten and seen anew."""
    try:
        rows = json.loads(text or "{}")
        return {str(id_): _seen(row) for id_, row in rows.items()}
    except (AttributeError, KeyError, TypeError, ValueError):
        return {}


def _seen(row: Mapping[str, float | None]) -> Seen:
    return Seen(
        since_s=_number(row["since_s"]),
        started_s=_number(row["started_s"]),
        held_wh=float(row["held_wh"] or 0.0),
        hygiene_s=_number(row["hygiene_s"]),
    )


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)
