"""The newest cycle: what flows, what every device says, what is commanded and why, and which parts are connected."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from gateway.view.schema.keys import DRAWN, IMPORT, LEFT_OUT, About, LeftOut

OLD = "a part of it is older than 5 s"
ALL_KNOWN = "every device says its power"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonView:
    """Why a decision was taken: the code has a sentence in two languages ([reasons](reasons.md))."""

    code: Annotated[str, About("name of the reason")]
    numbers: Annotated[
        Mapping[str, float | str], About("what was compared, by name; the ending of a name is its unit", unit="by name")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteView:
    """The building, as the site file names it."""

    id: Annotated[str, About("short name, also in topics and in the database")]
    name: Annotated[str, About("name for people")]
    time_zone: Annotated[str, About("zone of the tariff and of all clocks that are shown, for example Europe/Paris")]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowView:
    """Power now. The grid is the sum of the others."""

    grid_w: Annotated[float | None, About("at the grid meter", unit="W", sign=IMPORT, null=OLD)]
    pv_w: Annotated[
        float | None,
        About("all PV inverters: production is negative", unit="W", sign=DRAWN, null=f"{OLD}, or there is no inverter"),
    ]
    battery_w: Annotated[
        float | None,
        About("all batteries: charging is positive", unit="W", sign=DRAWN, null=f"{OLD}, or there is no battery"),
    ]
    load_w: Annotated[
        float | None,
        About(
            "base load: what the meters of devices do not explain, of a moment up to two seconds ago",
            unit="W",
            sign=DRAWN,
            null="nothing is known of it",
        ),
    ]
    loads_w: Annotated[
        float | LeftOut | None,
        About("all planned loads", unit="W", sign=DRAWN, null=OLD, left_out="the building has no planned loads"),
    ]
    load_low_w: Annotated[
        float | LeftOut | None,
        About("least that `load_w` may be", unit="W", sign=DRAWN, null="it may be anything", left_out=ALL_KNOWN),
    ] = LEFT_OUT
    load_high_w: Annotated[
        float | LeftOut | None,
        About("most that `load_w` may be", unit="W", sign=DRAWN, null="it may be anything", left_out=ALL_KNOWN),
    ] = LEFT_OUT
    unknown: Annotated[
        tuple[str, ...] | LeftOut, About("devices that say nothing of their power", left_out=ALL_KNOWN)
    ] = LEFT_OUT


@dataclass(frozen=True, slots=True, kw_only=True)
class PointView:
    """One value that a device reports."""

    name: Annotated[str, About("name of the point; its ending is the unit")]
    value: Annotated[
        float | None, About("the value reported last", unit="by name", sign=DRAWN, null="there is no value: see `why`")
    ]
    age_s: Annotated[float | None, About("since the device answered", unit="s", null="it never did")]
    why: Annotated[
        str | None, About("why there is no value, or how one is known without a report", null="the device reported it")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceView:
    """One device with all its points, in the order of the site file."""

    id: Annotated[str, About("its name in the site file")]
    role: Annotated[str, About("`grid`, `pv`, `battery` or `load`")]
    title: Annotated[str, About("the product")]
    node: Annotated[str, About("the node that reads it")]
    quality: Annotated[
        str,
        About(
            "of its power: `good`, `stale` (no report for three periods), `absent` (a report without a value) or"
            " `assumed` (known without a report)"
        ),
    ]
    age_s: Annotated[float | None, About("since it answered for its power", unit="s", null="it never did")]
    why: Annotated[
        str | None, About("why its power is not current, or how it is known without a report", null="it is current")
    ]
    points: Annotated[tuple[PointView, ...], About("its points, in the order of its profile")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPointView:
    """What a device shall do, and why."""

    device: Annotated[str, About("its name in the site file")]
    power_w: Annotated[float | None, About("power", unit="W", sign=DRAWN, null="the device runs itself")]
    mode: Annotated[
        str,
        About("`control` (decided now), `hold` (renewed while a reading is late), `release` (given back) or `watch`"),
    ]
    reason: Annotated[ReasonView, About("why it is asked")]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSetPointView:
    """A set-point with what people call its device."""

    device: Annotated[str, About("its name in the site file")]
    power_w: Annotated[float | None, About("power", unit="W", sign=DRAWN, null="the device runs itself")]
    mode: Annotated[str, About("as in `setpoint`")]
    reason: Annotated[ReasonView, About("why it is asked")]
    name: Annotated[str, About("name of the load in the site file, else of the device")]
    kind: Annotated[str | None, About("kind of the load", null="the device is no load")]
    role: Annotated[str, About("`pv`, `battery` or `load`")]
    stays: Annotated[
        bool | LeftOut,
        About("true: nothing ends its set-point when its node is lost", left_out="the device itself ends it"),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMadeView:
    """Enough to see that there is a new plan."""

    made_s: Annotated[
        float | None, About("when the present plan was made", unit="s since 1970", null="there is no plan")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """One node: whether it is there, what it runs, and what hinders it."""

    id: Annotated[str, About("its name in the site file")]
    up: Annotated[bool, About("connected to the broker")]
    boot: Annotated[int, About("number of its present run; 0 before it was heard")]
    fw: Annotated[str, About("version of its firmware; empty before it was heard")]
    build: Annotated[int, About("build of its firmware; 0 before it was heard")]
    mode: Annotated[
        str, About("`run`, `trial` (of a new release) or `safe` (no bus, no write); empty before it was heard")
    ]
    why: Annotated[str, About("reason of its last restart, in the node's words; empty when power came")]
    refused: Annotated[str, About("why it refuses its poll table; empty when it does not")]
    heard: Annotated[bool, About("sees its records acknowledged")]
    update: Annotated[str, About("how far a new release has come; empty when none is on its way")]
    test: Annotated[str, About("`good`, or what its self-test found; empty before there was one")]
    has_table: Annotated[bool, About("works with the poll table of this site file")]
    age_s: Annotated[float, About("since it was heard, at most a day", unit="s")]
    lost: Annotated[int, About("records that it had to give up")]
    twin_age_s: Annotated[
        float | LeftOut,
        About(
            "since another board was found to have its identity, whose records are left alone and which gets no orders",
            unit="s",
            left_out="no other board has",
        ),
    ] = LEFT_OUT
    strays: Annotated[
        int | LeftOut,
        About("answers of the last ten minutes to orders that this gateway never wrote", left_out="there was none"),
    ] = LEFT_OUT
    ahead_s: Annotated[
        float | LeftOut, About("its clock ahead of the gateway's", unit="s", left_out="within 5 s they agree")
    ] = LEFT_OUT


@dataclass(frozen=True, slots=True, kw_only=True)
class LinksView:
    """Broker and nodes."""

    broker: Annotated[bool, About("the gateway is connected to the broker")]
    takeovers: Annotated[
        int | LeftOut,
        About("how often somebody else has connected to the broker under the gateway's name", left_out="never"),
    ] = LEFT_OUT
    nodes: Annotated[tuple[NodeView, ...], About("all nodes, in the order of the site file")]
    clock: Annotated[
        str | LeftOut,
        About(
            "who vouches for the time instead of this machine: `nodes`, `store` (the last time that it knows is carried"
            " on) or `unset` (nobody: what is measured is dated later)",
            left_out="the machine's clock is set",
        ),
    ] = LEFT_OUT


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """What a device was ordered last, and what it says that it holds."""

    asked_w: Annotated[float | None, About("power ordered", unit="W", sign=DRAWN, null="it shall run itself")]
    applied_w: Annotated[float | None, About("power written to it", unit="W", sign=DRAWN, null="no order is written")]
    held_w: Annotated[
        float | None,
        About("power read back from it", unit="W", sign=DRAWN, null="the product cannot be read back, or was not yet"),
    ]
    by: Annotated[
        str, About("how it came by this: `applied` (an order), `safe`, `expired`, `released`; empty before the first")
    ]
    why: Annotated[str, About("what went wrong last; empty when nothing did")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseView:
    """The store on disk and the database behind it."""

    configured: Annotated[bool, About("the site file names a database")]
    waiting: Annotated[int, About("rows that wait for the database")]
    error: Annotated[str | None, About("what is wrong, in English", null="nothing is wrong")]
    refused: Annotated[
        int | LeftOut, About("values that it does not take, kept for `zen outbox`", left_out="there are none")
    ] = LEFT_OUT
    troubles: Annotated[
        tuple[ReasonView, ...] | LeftOut,
        About("all that is wrong with both, by codes of `trouble` in the words", left_out="nothing is wrong"),
    ] = LEFT_OUT


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleView:
    """The last finished cycle. Ages count up to this cycle, those of nodes up to the answer."""

    cycle: Annotated[int, About("rises by one with each cycle of this run; 0 before the first")]
    time: Annotated[str, About("when it was, UTC, ISO 8601 with whole seconds")]
    site: Annotated[SiteView, About("the building")]
    version: Annotated[str, About("of the gateway")]
    flow: Annotated[FlowView, About("power now")]
    soc: Annotated[
        float | None,
        About("charge of all batteries together", unit="fraction", null="one does not say it, or there is no battery"),
    ]
    reserve: Annotated[float, About("charge that the batteries keep back in any case", unit="fraction")]
    devices: Annotated[tuple[DeviceView, ...], About("all devices")]
    setpoint: Annotated[SetPointView | None, About("the first of `setpoints`", null="nothing is commanded yet")]
    setpoints: Annotated[tuple[NamedSetPointView, ...], About("what every commanded device shall do")]
    plan: Annotated[PlanMadeView, About("the present plan in short; all of it is at `/api/plan`")]
    links: Annotated[LinksView, About("broker and nodes")]
    orders: Annotated[Mapping[str, OrderView], About("by device that was ordered something")]
    database: Annotated[DatabaseView, About("store and database")]
