"""Poll tables: understood, built, tried and kept. Loaded when a table comes, forgotten when all is decided.

A new table runs on trial while the file still holds the old one: it is kept once every bus has answered, or at least
every bus that answered before. Otherwise the old one comes back, and the new one is refused until the next boot.

A table with a lower number than the last one taken is refused, whoever sealed it once. A node without a table takes any.
"""

import asyncio
import gc

from micropython import const
from node import hal, store
from node.bus import Block, Bus, Plant, Unit
from node.modbus import Line, Master, Net
from node.orders import Actuator
from node.wait import Bell, after, forget, left, lend
from wire.seal import unseal

_CFG = const("cfg")  # that of wire.topics
_TABLE = const("table.json")
_MOST = const(121)  # registers that every function can write at once
_BUS_MS = const(20000)  # deadlines of the check-ins
_ACTUATOR_MS = const(30000)  # several writes to a device that answers none, each tried again
_RESTART_MS = const(1000)  # of an actuator: its safe values must not wait
_TRIAL_MS = const(60000)
_LOOK_MS = const(200)
_PATIENCE = const(4)  # times Plant.safe; a dead device must not hold up a table for ever


def load(app):
    """Starts the plant of the table that is kept; nothing when there is none that can be used."""

    def check(text):
        try:
            return understand(text, app)
        except Exception as error:  # a node without a table can be given one
            app.say("%s: %r" % (_TABLE, error))
            raise

    app.number = 0
    found = store.load(_TABLE, check)
    if found:
        app.number, identity, plant = found
        use(app, identity, plant)
        start(app.plant, app.supervisor)
    forget("node.store")


def take(app, payload, _retained):
    """A message of the topic `cfg`: what it asks for waits in `app.coming`, or `app.refusal` says why not."""
    if app.mode == "safe":
        return
    try:
        text = unseal(app.orders.key, _CFG, payload)
        number, identity, plant = understand(text, app)
        if identity == app.refused:
            return
        app.refusal = ""
        if plant:
            app.number = number
            app.coming = (text, identity, plant)
            app.bell.ring()
        elif number > app.number:  # the table in use: none with a number between the two may come any more
            app.number = number
            app.coming = None
            _renumber(text, identity)
    except Exception as error:  # whatever is wrong with it, the old one stays
        app.refusal = repr(error)
        app.refusals += 1


def _renumber(text, identity):
    """A table that is on trial is not in the file yet, and stays out of it."""
    from wire import table

    try:
        if store.load(_TABLE, table.identity) == identity:
            store.save(_TABLE, text)
    finally:
        forget("wire.table")
        forget("node.store")


def understand(text, app):
    """(number, identity, plant) of a poll table, plant None for a table that is known.

    TableError when it is none, or an old one.
    """
    from wire import table

    try:
        number, identity = table.number(text), table.identity(text)
        if text and identity in (app.identity, app.refused):  # 0 is the identity of nothing
            return number, identity, None
        if number < app.number:
            raise table.TableError("old: %d, newer is %d" % (number, app.number))
        return number, identity, build(table.parse(text), app)
    finally:
        forget("wire.table")


def build(table, app):
    """The Plant of a parsed table. `app` names the serial ports and takes records and reports; nothing is opened."""
    plant = Plant()
    for spec in table["buses"]:
        plant.buses.append(bus(spec, app))
    for spec in table["units"]:
        plant.units.append(unit(spec, plant.buses[spec["bus"]]))
    for number, spec in enumerate(table["blocks"]):
        one = plant.units[spec["u"]]
        if "labels" in spec:
            one.bus.add(number, one, spec)
        else:
            one.bus.blocks.append(block(number, one, spec))
    for number, spec in enumerate(table["actuators"]):
        plant.actuators.append(actuator(number, spec, plant.units[spec["u"]], app.orders))
    return plant


def bus(spec, app):
    """The Bus of an entry of the table."""
    kind = spec["kind"]
    if kind == "tcp":
        way = Net(spec["host"], spec.get("port", 502))
    else:  # what stays must not hold on to a function of this module
        line = hal.opener(app.conf["serial"][spec["port"]], spec)
        if kind == "rtu":
            way = Line(line, spec["baud"])
    if kind == "tic":
        from node.tic import Tic

        made = Tic(line, spec, app.push)
    else:
        made = Bus(Master(way, spec["timeout_ms"], spec.get("gap_ms", 0)), app.push)
    made.name = name(spec)
    return made


def unit(spec, bus):
    """The Unit of an entry of the table."""
    made = Unit()
    made.bus = bus
    made.number = spec["id"]
    made.function = spec["wfc"]
    # an even number, so that no value of two registers is cut in two
    made.step = 1 if made.function < 7 else min(spec.get("max", _MOST), _MOST) & 126
    made.gap_ms = spec.get("gap_ms", 0)
    made.counts = [0] * 4
    made.times = [0] * 15  # ms of the last answers
    return made


def block(number, unit, spec):
    """The Block of an entry of the table, due at once."""
    made = Block()
    made.number = number
    made.unit = unit
    made.function = spec["fc"]
    made.address = spec["a"]
    made.count = spec["n"]
    made.model = spec.get("m")
    made.period_ms = spec["ms"]
    made.due = after(0)
    return made


def actuator(number, spec, unit, orders):
    """The Actuator of an entry of the table; it begins with its safe values."""
    made = Actuator()
    made.number = number
    made.spec = spec
    made.unit = unit
    made.orders = orders
    made.bell = Bell()
    made.end = made.again = after(0)
    if spec["min_ms"]:
        from node.wear import Wear

        made.wear = Wear(made)
    return made


def name(spec):
    """Of a bus, as people are told it."""
    return "%s:%d" % (spec["host"], spec.get("port", 502)) if spec["kind"] == "tcp" else spec["port"]


async def switch(app):
    """From the table in use to the one that came: safe values first, then the trial."""
    (text, identity, plant), app.coming = app.coming, None
    deaf = app.plant.silent()
    first = not app.identity
    app.orders.leave()
    for _ in range(_PATIENCE):  # a device that the new table does not know would keep what it holds
        if await lend("halt", "safe", app.plant):
            break
    await lend("halt", "plant", app.plant, app.supervisor)
    await _run(app, identity, plant)
    missing = None if first else await _trial(plant, deaf)
    if missing:
        app.refused = identity
        app.refusal = "silent: " + " ".join(missing)
        await lend("halt", "plant", plant, app.supervisor)
        use(app, 0, Plant())
        load(app)
        lend("report", "tell", app)
    else:
        store.save(_TABLE, text)
        forget("node.store")


async def _run(app, identity, plant):
    use(app, identity, plant)
    start(plant, app.supervisor)
    lend("report", "tell", app)
    await asyncio.sleep_ms(0)
    gc.collect()


def use(app, identity, plant):
    """Records and orders belong to this plant from now on."""
    app.plant = plant
    app.orders.actuators = plant.actuators
    app.identity = identity
    app.ring.use(identity)


def start(plant, supervisor):
    """Every bus and actuator is a job of the supervisor."""
    for one in plant.buses:
        plant.jobs.append(supervisor.start("bus " + one.name, one.run, _BUS_MS))
    for actuator in plant.actuators:
        name = "actuator %d" % actuator.number
        plant.jobs.append(supervisor.start(name, actuator.run, _ACTUATOR_MS, _RESTART_MS))


async def _trial(plant, deaf):
    """Names of the buses that stay silent and did not before."""
    end = after(_TRIAL_MS)
    while True:
        missing = plant.silent() - deaf
        if not missing or left(end) < 0:
            return missing
        await asyncio.sleep_ms(_LOOK_MS)
