"""The customer telegram of a Linky meter at the grid connection: what stands in its frames, character by character.

Sources: Enedis-NOI-CPT_54E; ERDF-NOI-CPT_02E for a meter above its subscribed current. A group ends with one check
character; in the mode historique the separator before it does not count. Drawn and injected quantities are separate and
never negative; powers are apparent.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from gateway.simulator.physics.building import State
from gateway.simulator.physics.meter import LOAD_SHARES
from gateway.simulator.settings.config import Clock, LinkySettings, TelegramMode

STX, ETX, EOT = b"\x02", b"\x03", b"\x04"
BAUD: dict[TelegramMode, int] = {"historique": 1200, "standard": 9600}
SEPARATOR: dict[TelegramMode, str] = {"historique": " ", "standard": "\t"}
METER_NUMBER = "041876097811"
DELIVERY_POINT = "19876543210987"
OFFPEAK_HOURS = (22, 6)  # heures creuses of this building
PRODUCER_BIT, INJECTING_BIT, STANDARD_BIT = 8, 9, 17  # of the status register STGE
SUPPLIER_INDEX_AT, OPERATOR_INDEX_AT = 10, 14
VOLT = 230.0  # by which the mode historique reckons
SHORT_FRAMES = 20  # for each long one, while a current is above the subscribed one
ALARM_S = 60.0  # and for so long after it

Group = tuple[str, ...]  # label, then a timestamp where there is one, then the data


class Linky:
    """Takes the building's state at each step; its counters begin where its settings say."""

    def __init__(self, settings: LinkySettings, clock: Clock, first: State) -> None:
        self.settings = settings
        self._clock = clock
        self._state = first
        self._offpeak_wh = 0.4 * settings.import_wh
        self._peak_wh = 0.6 * settings.import_wh
        self._most_va = 0
        self._most_at = self._local()
        self._alarm_until_s = -math.inf
        self._short_frames = 0  # since the last long one

    def take(self, state: State) -> None:
        """Let the meter see a state."""
        drawn_wh = state.import_wh - self._state.import_wh
        self._state = state
        if self.is_offpeak:
            self._offpeak_wh += drawn_wh
        else:
            self._peak_wh += drawn_wh
        if self.drawn_va > self._most_va:
            self._most_va, self._most_at = self.drawn_va, self._local()
        if self.settings.phases == 3 and max(self.currents_a) > self.settings.subscribed_a:
            self._alarm_until_s = state.elapsed_s + ALARM_S

    @property
    def currents_a(self) -> tuple[int, ...]:
        """Of its phases, without their direction."""
        state = self._state
        if self.settings.phases == 1:
            return (round(self.drawn_va / VOLT),)
        powers_w = [
            state.base_load_w * share + state.pv_w / 3.0 + load_w
            for share, load_w in zip(LOAD_SHARES, state.loads_phases_w, strict=True)
        ]
        powers_w[0] += state.battery_w
        return tuple(round(abs(_apparent_va(power_w)) / VOLT) for power_w in powers_w)

    @property
    def is_offpeak(self) -> bool:
        """Whether the cheaper tariff is in force."""
        begin, end = OFFPEAK_HOURS
        return self._local().hour >= begin or self._local().hour < end

    @property
    def drawn_va(self) -> int:
        """Apparent power drawn; 0 while the building exports."""
        return _apparent_va(max(self._state.grid_w, 0.0))

    @property
    def injected_va(self) -> int:
        """Apparent power exported; 0 while the building imports."""
        return _apparent_va(max(-self._state.grid_w, 0.0))

    def groups(self, mode: TelegramMode) -> Iterable[Group]:
        """The groups of a whole frame that would begin now."""
        return self._standard() if mode == "standard" else self._historique()

    def next_groups(self, mode: TelegramMode) -> tuple[Iterable[Group], bool]:
        """Those of the next frame, and whether it is a short one, which the next follows without a pause."""
        alarm = mode == "historique" and self._state.elapsed_s < self._alarm_until_s
        if not alarm or self._short_frames >= SHORT_FRAMES:
            self._short_frames = 0
            return self.groups(mode), False
        self._short_frames += 1
        return self._short(), True

    def _short(self) -> Iterable[Group]:
        currents_a = list(enumerate(self.currents_a, start=1))
        over = [(f"ADIR{phase}", f"{a:03d}") for phase, a in currents_a if a > self.settings.subscribed_a]
        return [*over, ("ADCO", METER_NUMBER), *((f"IINST{phase}", f"{a:03d}") for phase, a in currents_a)]

    def _historique(self) -> Iterable[Group]:
        yield "ADCO", METER_NUMBER
        yield "OPTARIF", "HC.."
        yield "ISOUSC", f"{self.settings.subscribed_a:02d}"
        yield "HCHC", f"{int(self._offpeak_wh):09d}"
        yield "HCHP", f"{int(self._peak_wh):09d}"
        yield "PTEC", "HC.." if self.is_offpeak else "HP.."
        yield from self._currents()
        yield "PAPP", f"{round(self.drawn_va, -1):05d}"
        yield "HHPHC", "A"
        yield "MOTDETAT", "000000"
        if self.settings.phases == 3:
            yield "PPOT", "00"

    def _currents(self) -> Iterable[Group]:
        if self.settings.phases == 3:
            yield from ((f"IINST{phase}", f"{a:03d}") for phase, a in enumerate(self.currents_a, start=1))
            yield from ((f"IMAX{phase}", "060") for phase in (1, 2, 3))
            yield "PMAX", f"{self._most_va:05d}"
            return
        drawn_a = self.currents_a[0]
        yield "IINST", f"{drawn_a:03d}"
        if drawn_a > self.settings.subscribed_a:
            yield "ADPS", f"{drawn_a:03d}"
        yield "IMAX", "090"

    def _standard(self) -> Iterable[Group]:
        now = self._stamp(self._local())
        tariff = "HEURE CREUSE" if self.is_offpeak else "HEURE PLEINE"
        volts = 232.0 - 0.0004 * self._state.grid_w  # in the street's cable 0.4 V are lost per kW
        yield "ADSC", METER_NUMBER
        yield "VTIC", "02"
        yield "DATE", now, ""
        yield "NGTF", f"{'H PLEINE-CREUSE':^16}"
        yield "LTARF", f"{tariff:^16}"
        yield "EAST", f"{int(self._offpeak_wh + self._peak_wh):09d}"
        yield "EASF01", f"{int(self._offpeak_wh):09d}"
        yield "EASF02", f"{int(self._peak_wh):09d}"
        if self.settings.producer:
            yield "EAIT", f"{int(self.settings.export_wh + self._state.export_wh):09d}"
        yield "IRMS1", f"{round((self.drawn_va + self.injected_va) / volts):03d}"
        yield "URMS1", f"{round(volts):03d}"
        yield "PREF", "09"
        yield "PCOUP", "09"
        yield "SINSTS", f"{self.drawn_va:05d}"
        yield "SMAXSN", self._stamp(self._most_at), f"{self._most_va:05d}"
        if self.settings.producer:
            yield "SINSTI", f"{self.injected_va:05d}"
        yield "STGE", f"{self._status():08X}"
        yield "MSG1", f"{'PAS DE          MESSAGE':<32}"
        yield "PRM", DELIVERY_POINT
        yield "RELAIS", "000"
        yield "NTARF", f"{1 if self.is_offpeak else 2:02d}"
        yield "NJOURF", "00"
        yield "NJOURF+1", "00"
        yield "PJOURF+1", "00008001 06008002 22008001" + " NONUTILE" * 8

    def _status(self) -> int:
        index = 0 if self.is_offpeak else 1
        bits = index << SUPPLIER_INDEX_AT | index << OPERATOR_INDEX_AT | 1 << STANDARD_BIT
        if self.settings.producer:
            bits |= 1 << PRODUCER_BIT | (self.injected_va > 0) << INJECTING_BIT
        return bits

    def _local(self) -> datetime:
        return datetime.fromtimestamp(self._state.utc_s, UTC).astimezone(self._clock.zone)

    def _stamp(self, moment: datetime) -> str:
        """Season, then the wall clock."""
        return f"{'E' if moment.dst() else 'H'}{moment:%y%m%d%H%M%S}"


def _apparent_va(power_w: float) -> int:
    """A fifth of the power again is reactive."""
    return round(math.hypot(power_w, 0.2 * power_w))


def frame(mode: TelegramMode, groups: Iterable[Group]) -> bytes:
    """A whole frame."""
    return STX + b"".join(written(mode, group) for group in groups) + ETX


def written(mode: TelegramMode, group: Group) -> bytes:
    """A group between its line feed and carriage return, with its check character."""
    text = SEPARATOR[mode].join((*group, ""))
    counted = text if mode == "standard" else text[:-1]
    check = chr(sum(map(ord, counted)) % 64 + 32)
    return f"\n{text}{check}\r".encode("ascii")


def heard_at(characters: bytes, *, sent_baud: int, heard_baud: int) -> bytes:
    """What a receiver set to `heard_baud` makes of characters (7E1) sent at another speed; parity is not looked at."""
    line = [bit for character in characters for bit in _bits(character)]
    step = sent_baud / heard_baud
    heard = bytearray()
    at = 0.0
    while at < len(line):
        if line[int(at)]:  # idle: wait for a start bit
            at = int(at) + 1.0
            continue
        middles = (at + (place + 0.5) * step for place in range(1, 8))
        heard.append(sum(_level(line, middle) << place for place, middle in enumerate(middles)))
        at += 10 * step
    return bytes(heard)


def _bits(character: int) -> Sequence[int]:
    """Start bit, seven bits from the lowest, even parity, stop bit."""
    data = [character >> place & 1 for place in range(7)]
    return [0, *data, sum(data) % 2, 1]


def _level(line: Sequence[int], at: float) -> int:
    return line[int(at)] if at < len(line) else 1


def cut(data: bytes, size: int) -> Iterable[bytes]:
    """The data in pieces of at most `size`."""
    places = [*range(0, len(data), size), len(data)]
    return [data[begin:end] for begin, end in pairwise(places)]
