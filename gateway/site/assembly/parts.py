"""The parts of a gateway from its site file, each built once here and handed to the others by `app`.

Sections used: `site`, `devices`, `control`, `broker`, `database`, `store`, `feeds`, `loads` and `time`.
"""

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.broker import Broker, BrokerAddress, Will
from gateway.adapters.node.actuation import Actuator, NodeActuation
from gateway.adapters.node.ledger import Ledger
from gateway.adapters.node.link import NodeLink, presence_topic, subscriptions
from gateway.adapters.node.measurements import NodeMeasurements
from gateway.adapters.node.orders import OrderLog
from gateway.adapters.node.persistence import NodePersistence
from gateway.adapters.node.poll_tables import NodeTable, restored_blocks, stored_blocks
from gateway.adapters.node.session import FormerTable, NodeSession
from gateway.adapters.presence import Presence
from gateway.adapters.store.history import HistoryStore
from gateway.adapters.store.influx import Forwarder
from gateway.adapters.store.outbox import Outbox, OutboxError
from gateway.core.model.site import Battery, Site
from gateway.core.model.state import SiteState
from gateway.core.model.sun import is_down
from gateway.observers.load_observer import LoadObserver
from gateway.planning.collector import InputCollector
from gateway.planning.load_inputs import LoadInputs
from gateway.planning.method_file import read_method
from gateway.planning.plan_inputs import Place
from gateway.planning.weather_inputs import WeatherInputs
from gateway.ports import Clock
from gateway.site.assembly.building import core_site, meters, origin_of
from gateway.site.assembly.feeds import Feeds
from gateway.site.assembly.place import MIDDLE, position
from gateway.site.assembly.poll_tables import poll_tables
from gateway.site.assembly.prices import price_inputs
from gateway.site.credentials import Credentials
from gateway.site.file.site_file import SiteFile
from gateway.wire.records import EPOCH_2000

RENAME_S = 2.0  # how long a new name waits for the disk: a card that hangs must not keep us from the broker


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSide:
    """All that lies between the loop and the nodes behind the broker."""

    presence: Presence
    broker: Broker
    sessions: Mapping[str, NodeSession]
    measurements: NodeMeasurements
    actuation: NodeActuation
    persistence: NodePersistence
    link: NodeLink


def node_side(
    file: SiteFile,
    credentials: Credentials,
    outbox: Outbox,
    clock: Clock,
    *,
    writes: bool,
    is_dated: Callable[[], bool] = lambda: True,
    is_possible: Callable[[float], bool] = lambda _: True,
) -> NodeSide:
    """The parts of the node side, each handed to those that need it; with `writes` off they only look.

    `is_dated`: whether the clock may be believed; `is_possible`: whether a record can be of a moment (UTC).
    """
    site_id = file.site.id
    ours = _presence(outbox, clock, writes=writes)
    broker = _broker(file, credentials, outbox, ours, clock)
    sessions = _sessions(file, outbox, clock, writes=writes)
    for session in sessions.values():
        session.is_dated, session.is_possible = is_dated, is_possible
    site = core_site(file)
    measurements = node_measurements(file, site, clock, sessions, is_dated=is_dated)
    actuation = NodeActuation(
        site_id=site_id,
        clock=clock,
        broker=broker,
        presence=ours,
        sessions=sessions,
        actuators=_actuators(file, credentials, sessions),
        orders=OrderLog(session=ours.session),
    )
    persistence = NodePersistence(
        site_id=site_id,
        clock=clock,
        broker=broker,
        presence=ours,
        sessions=sessions,
        outbox=outbox,
        is_dated=is_dated,
    )
    link = NodeLink(
        site_id=site_id,
        clock=clock,
        broker=broker,
        presence=ours,
        sessions=sessions,
        keys=credentials.node_keys,
        measurements=measurements,
        actuation=actuation,
        persistence=persistence,
    )
    return NodeSide(
        presence=ours,
        broker=broker,
        sessions=sessions,
        measurements=measurements,
        actuation=actuation,
        persistence=persistence,
        link=link,
    )


def node_measurements(
    file: SiteFile,
    site: Site,
    clock: Clock,
    sessions: Mapping[str, NodeSession],
    *,
    is_dated: Callable[[], bool] = lambda: True,
) -> NodeMeasurements:
    """The readings of these nodes as the loop sees them."""
    return NodeMeasurements(
        clock=clock,
        sessions=sessions,
        grid=site.grid,
        meters=meters(file),
        pv=site.pv,
        is_night=lambda utc_s: is_down(utc_s, site.places),
        is_dated=is_dated,
    )


def forwarder(file: SiteFile, credentials: Credentials, outbox: Outbox) -> Forwarder | None:
    """What feeds the database; None where none is configured."""
    section = file.database
    if section is None or credentials.influx_token is None:
        return None
    return Forwarder(
        url=section.url,
        org=section.org,
        bucket=section.bucket,
        quarters_bucket=section.quarters_bucket,
        token=credentials.influx_token,
        lines=outbox,
    )


def loads(file: SiteFile, feeds: Feeds, *, observer: LoadObserver) -> LoadInputs:
    """The flexible loads as they are asked for."""
    return LoadInputs(
        site=core_site(file),
        flexible=observer.flexible,
        weather=lambda: feeds.weather.answer().value if feeds.weather else None,
    )


def collector(
    file: SiteFile,
    feeds: Feeds,
    *,
    clock: Clock,
    state: Callable[[], SiteState],
    past: HistoryStore,
    flexible: LoadInputs,
    batteries: Callable[[], Sequence[Battery]],
    clock_is_set: Callable[[], bool],
) -> InputCollector:
    """What plans are made from."""
    site, place = core_site(file), _place(file)
    return InputCollector(
        clock=clock,
        clock_is_set=clock_is_set,
        state=state,
        site=site,
        batteries=batteries,
        zone=file.site.time_zone,
        past=past,
        prices=price_inputs(file, feeds, meter=site.grid).weighed,
        weather=WeatherInputs(weather=feeds.weather.answer if feeds.weather else None, past=past, kwp=place.kwp),
        place=place,
        method=read_method(),
        flexible=flexible.flexible,
    )


def store_path(file: SiteFile) -> Path:
    """Where the outbox is."""
    return file.path.parent / file.store.path


def archive_path(file: SiteFile) -> Path:
    """Where the history of ten years is: beside the store, as `store-history.sqlite`."""
    store = store_path(file)
    return store.with_name(f"{store.stem}-history.sqlite")


def _presence(outbox: Outbox, clock: Clock, *, writes: bool) -> Presence:
    """Who we are among the gateways of this building; one that only looks has no session of its own."""
    session = outbox.next_session(int(clock.utc_s()) - EPOCH_2000) if writes else 0
    return Presence(instance=_shown(outbox.instance()), session=session, writes=writes)


def _shown(instance: str) -> str:
    """The name that others see: from it nobody can tell what we are called at the broker, and take our place there."""
    return hashlib.sha256(instance.encode()).hexdigest()[:8]


def _broker(file: SiteFile, credentials: Credentials, outbox: Outbox, ours: Presence, clock: Clock) -> Broker:
    """The connection, with our will and what we listen to."""
    section, site_id = file.broker, file.site.id
    address = BrokerAddress(
        host=section.host,
        port=section.port,
        identity=f"zev-{site_id}-{outbox.instance()}",
        keeps_session=ours.writes,
        user=section.user,
        password=credentials.broker_password,
        ca=str(file.path.parent / section.ca) if section.ca else None,
    )

    def will() -> Will:
        return Will(topic=presence_topic(site_id), payload=ours.payload(up=False, will=True))

    async def rename() -> str:
        instance = secrets.token_hex(4)
        with contextlib.suppress(OutboxError, TimeoutError):  # then it lasts for this run
            async with asyncio.timeout(RENAME_S):
                await outbox.rename(instance)
        ours.instance = _shown(instance)
        return f"zev-{site_id}-{instance}"

    return Broker(
        address,
        will=will if ours.writes else None,
        subscriptions=subscriptions(site_id),
        rename=rename,
        has_right=lambda: ours.has_commanded(clock.monotonic_s()),
    )


def _sessions(file: SiteFile, outbox: Outbox, clock: Clock, *, writes: bool) -> dict[str, NodeSession]:
    """All nodes, with what the store remembers of them."""
    now = int(clock.utc_s()) - EPOCH_2000
    origin = origin_of(file)
    return {
        node: NodeSession(
            origin=origin,
            table=table,
            ledger=Ledger.restored(outbox.ledger(node)),
            table_number=outbox.table_number(node, table.identity, now) if writes else 0,
            trusted=outbox.trusted(table.identity),
            former=_former_tables(node, table, outbox),
        )
        for node, table in poll_tables(file).items()
    }


def _actuators(file: SiteFile, credentials: Credentials, sessions: Mapping[str, NodeSession]) -> dict[str, Actuator]:
    """The devices that take orders."""
    return {
        device: Actuator(
            node=node,
            number=number,
            key=credentials.node_keys[node],
            profile=file.profiles[device],
            ttl_ms=1000 * file.control.lease_s,
            rating=session.table.ratings[device],
        )
        for node, session in sessions.items()
        for device, number in session.table.actuators.items()
    }


def _former_tables(node: str, table: NodeTable, outbox: Outbox) -> dict[int, FormerTable]:
    """By identity: records may still come that refer to a table which was replaced."""
    texts = outbox.save_table(node, table.identity, stored_blocks(table))
    return {
        identity: FormerTable(blocks=restored_blocks(text), trusted=outbox.trusted(identity))
        for identity, text in texts.items()
    }


def _place(file: SiteFile) -> Place:
    """The position for PV forecasts; by default the middle of the Hauts-de-France."""
    latitude, longitude = position(file) or MIDDLE
    kwp = sum((device.peak_w or 0.0) / 1000 for device in file.devices.values())
    return Place(latitude=latitude, longitude=longitude, kwp=kwp)
