"""What may befall the house's people or the chain, beside the faults of devices (`gateway.simulator.faults`).

`for_s` is how long it lasts; None: until the end of the run.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gateway.simulator.device_faults import Watts, WattsUp
from gateway.simulator.fault import Seconds
from gateway.simulator.settings.keys import Fraction

Runner = Literal["virtual", "chain", "bench"]
EVERYWHERE: frozenset[Runner] = frozenset({"virtual", "chain", "bench"})
OURS: frozenset[Runner] = frozenset({"virtual", "chain"})
PROCESSES: frozenset[Runner] = frozenset({"chain"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happens; `runners` can show it."""

    runners: ClassVar[frozenset[Runner]] = EVERYWHERE
    for_s: Seconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadStep(Event):
    """Somebody switches on an appliance of `w` watts."""

    w: Watts


@dataclass(frozen=True, slots=True, kw_only=True)
class CarPlugged(Event):
    """The car comes, with the state of charge `soc` where one is given."""

    soc: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CarUnplugged(Event):
    """The car leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaterDrawn(Event):
    """Somebody draws so many litres of hot water, within `for_s` (a minute when nothing is said)."""

    litres: WattsUp


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeWithoutPower(Event):
    """A node loses its power; what the devices hold they hold. `node`: its name, all of them without one."""

    runners: ClassVar[frozenset[Runner]] = OURS
    node: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeHung(Event):
    """A node hangs with its connection open, until its watchdog bites (`for_s` on the chain, where it has none)."""

    runners: ClassVar[frozenset[Runner]] = OURS
    node: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeOffNetwork(Event):
    """A node loses its network and goes on polling."""

    runners: ClassVar[frozenset[Runner]] = frozenset({"virtual"})
    node: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerStopped(Event):
    """The broker is killed, and started again."""

    runners: ClassVar[frozenset[Runner]] = OURS


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayKilled(Event):
    """The gateway is killed without a word, and started again."""

    runners: ClassVar[frozenset[Runner]] = OURS


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayStopped(Event):
    """The gateway is asked to end, and started again."""

    runners: ClassVar[frozenset[Runner]] = OURS


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayFrozen(Event):
    """Nothing of the gateway runs for a while; its connections stay open."""

    runners: ClassVar[frozenset[Runner]] = OURS


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStepped(Event):
    """The gateway's clock is set by so many seconds; the nodes ask it for the time within a minute."""

    runners: ClassVar[frozenset[Runner]] = frozenset({"virtual"})
    by_s: Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseDown(Event):
    """The database behind the gateway is stopped, and started again."""

    runners: ClassVar[frozenset[Runner]] = PROCESSES


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSpoiled(Event):
    """The gateway is stopped, its store is spoiled (`how`), and it is started again at once."""

    runners: ClassVar[frozenset[Runner]] = PROCESSES
    how: Literal["garbage", "truncated"] = "garbage"


EVENTS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        LoadStep,
        CarPlugged,
        CarUnplugged,
        WaterDrawn,
        NodeWithoutPower,
        NodeHung,
        NodeOffNetwork,
        BrokerStopped,
        GatewayKilled,
        GatewayStopped,
        GatewayFrozen,
        ClockStepped,
        DatabaseDown,
        StoreSpoiled,
    )
}
