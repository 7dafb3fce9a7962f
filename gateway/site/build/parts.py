"""The parts of a gateway from its site file, each built once and handed to the others by `app`."""

from pathlib import Path

from gateway.adapters.broker import Address, Broker, Will
from gateway.adapters.building import Actuator, Building
from gateway.adapters.node.ledger import Ledger
from gateway.adapters.node.orders import OrderBook
from gateway.adapters.node.poll_tables import recalled, remembered
from gateway.adapters.node.session import FormerTable, NodeSession
from gateway.adapters.sntp import is_settled
from gateway.adapters.store.history import Past
from gateway.adapters.store.influx import Forwarder
from gateway.adapters.store.outbox import Outbox
from gateway.observers.load_observer import LoadObserver
from gateway.planning.collector import InputCollector
from gateway.planning.load_inputs import LoadInputs
from gateway.planning.method_file import read_method
from gateway.planning.plan_inputs import Place
from gateway.planning.price_inputs import PriceInputs
from gateway.planning.weather_inputs import WeatherInputs
from gateway.ports import Clock
from gateway.site.build.building import core_site, meters, tables
from gateway.site.build.feeds import Feeds
from gateway.site.credentials import Credentials
from gateway.site.file.site_file import SiteFile
from gateway.wire.records import EPOCH_2000

MIDDLE = (50.3, 2.8)  # Arras


def building(file: SiteFile, credentials: Credentials, outbox: Outbox, clock: Clock, *, writes: bool) -> Building:
    """All nodes behind one broker, with what is remembered of them."""
    by_node = tables(file)
    now = int(clock.utc_s()) - EPOCH_2000
    roles = {id_: device.role for id_, device in file.devices.items()}
    desks = {
        node: NodeSession(
            site_id=file.site.id,
            table=table,
            roles=roles,
            ledger=Ledger.opened(outbox.ledger(node)),
            table_number=outbox.table_number(node, table.identity, now) if writes else 0,
            proven=outbox.proven(table.identity),
            former={
                identity: FormerTable(blocks=recalled(text), proven=outbox.proven(identity))
                for identity, text in outbox.remember_table(node, table.identity, remembered(table)).items()
            },
        )
        for node, table in by_node.items()
    }
    actuators = {
        device: Actuator(
            node=node,
            number=number,
            key=credentials.node_keys[node],
            profile=file.profiles[device],
            ttl_ms=1000 * file.control.lease_s,
            rating=table.ratings[device],
        )
        for node, table in by_node.items()
        for device, number in table.actuators.items()
    }
    session = outbox.next_session(now) if writes else 0
    return Building(
        site_id=file.site.id,
        grid=core_site(file).grid,
        clock=clock,
        desks=desks,
        keys=credentials.node_keys,
        actuators=actuators,
        meters=meters(file),
        outbox=outbox,
        orders=OrderBook(session=session),
        writes=writes,
    )


def broker(file: SiteFile, credentials: Credentials, ours: Building, *, writes: bool) -> Broker:
    """The connection, with our will and what we listen to."""
    section = file.broker
    address = Address(
        host=section.host,
        port=section.port,
        identity=f"zev-{file.site.id}-{ours.presence.instance}",
        keeps_session=writes,
        user=section.user,
        password=credentials.broker_password,
        ca=str(file.path.parent / section.ca) if section.ca else None,
    )
    will = Will(topic=ours.presence_topic, payload=ours.presence.payload(up=False)) if writes else None
    return Broker(address, will=will, subscriptions=ours.subscriptions)


def forwarder(file: SiteFile, credentials: Credentials, outbox: Outbox) -> Forwarder | None:
    """What feeds the database; None where none is configured."""
    section = file.database
    if section is None or credentials.influx_token is None:
        return None
    return Forwarder(
        url=section.url, org=section.org, bucket=section.bucket, token=credentials.influx_token, lines=outbox
    )


def loads(file: SiteFile, found: Feeds, *, observer: LoadObserver) -> LoadInputs:
    """The flexible loads as they are asked for."""
    return LoadInputs(
        site=core_site(file),
        flexible=observer.flexible,
        weather=lambda: found.weather.answer().value if found.weather else None,
    )


def ground(
    file: SiteFile, found: Feeds, *, clock: Clock, building: Building, past: Past, loads: LoadInputs
) -> InputCollector:
    """What plans are made from."""
    site, place = core_site(file), _place(file)
    return InputCollector(
        clock=clock,
        clock_is_set=lambda: is_settled(file.time.settle_s),
        state=building.state,
        site=site,
        zone=file.site.time_zone,
        past=past,
        prices=PriceInputs(file, found, meter=site.grid).weighed,
        weather=WeatherInputs(weather=found.weather.answer if found.weather else None, past=past, kwp=place.kwp),
        place=place,
        method=read_method(),
        flexible=loads.flexible,
    )


def _place(file: SiteFile) -> Place:
    """Where the forecast asks for the sun; without that in the middle of the Hauts-de-France."""
    weather = file.feeds.weather if file.feeds else None
    latitude, longitude = (weather.latitude, weather.longitude) if weather else MIDDLE
    kwp = sum((device.peak_w or 0.0) / 1000 for device in file.devices.values())
    return Place(latitude=latitude, longitude=longitude, kwp=kwp)


def store_path(file: SiteFile) -> Path:
    """Where the outbox is."""
    return file.path.parent / file.store.path
