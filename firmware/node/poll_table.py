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
from node.wait import after, call, forget, left
from wire.seal import unseal

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from kinds import Beat, Buffer, Conf, Console, Spec
    from node.app import App
    from node.orders import Orders
    from node.supervisor import Supervisor
    from node.tic import Tic

_CFG = const("cfg")  # that of wire.topics
_TABLE = const("table.json")
_MOST = const(121)  # registers that every function can write at once
_BUS_MS = const(20000)  # deadlines of the check-ins
_ACTUATOR_MS = const(30000)  # several writes to a device that answers none, each tried again
_PATIENT_MS = const(90000)
_RESTART_MS = const(1000)  # of an actuator: its safe values must not wait
_TRIAL_MS = const(60000)
_LOOK_MS = const(200)
_PATIENCE = const(4)  # times Plant.safe; a dead device must not hold up a table for ever


def load(app: "App") -> None:
    """Starts the plant of the table that is kept; nothing when there is none that can be used."""

    def check(text: str) -> tuple:
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


def take(app: "App", payload: "Buffer", _retained: bool) -> None:
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
            if not app.switch:
                app.switch = app.supervisor.start("switch", call, _PATIENT_MS, what=("poll_table", "switch", app))
        elif number > app.number:  # the table in use: none with a number between the two may come any more
            app.number = number
            app.coming = None
            _renumber(text, identity)
    except Exception as error:  # whatever is wrong with it, the old one stays
        app.refusal = repr(error)
        app.refusals += 1


def _renumber(text: str, identity: int) -> None:
    """A table that is on trial is not in the file yet, and stays out of it."""
    from wire import table

    try:
        if store.load(_TABLE, table.identity) == identity:
            store.save(_TABLE, text)
    finally:
        forget("wire.table")
        forget("node.store")


def understand(text: str, app: "App") -> tuple:
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


def build(table: "Conf", app: "App") -> "Plant":
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


def bus(spec: "Spec", app: "App | Console") -> "Bus | Tic":
    """The Bus of an entry of the table."""
    kind = spec["kind"]
    if kind == "tcp":
        transport: "Line | Net" = Net(spec["host"], spec.get("port", 502))
        transport.lax = spec.get("lenient", 0)
    else:  # what stays must not hold on to a function of this module
        line = hal.opener(app.conf["serial"][spec["port"]], spec)
        if kind == "rtu":
            transport = Line(line, spec["baud"])
    if kind == "tic":
        from node.tic import Tic

        return Tic(name(spec), line, spec, app.push)
    return Bus(name(spec), Master(transport, spec["timeout_ms"], spec.get("gap_ms", 0)), app.push)


def unit(spec: "Spec", bus: "Bus | Tic") -> "Unit":
    """The Unit of an entry of the table."""
    # an even number, so that no value of two registers is cut in two
    step = 1 if spec["wfc"] < 7 else min(spec.get("max", _MOST), _MOST) & 126
    one = Unit(bus, spec["id"], spec["wfc"], step, spec.get("gap_ms", 0))
    one.walk = after(0)
    return one


def block(number: int, unit: "Unit", spec: "Spec") -> "Block":
    """The Block of an entry of the table."""
    one = Block()
    one.number, one.unit = number, unit
    one.function, one.address, one.count, one.model = spec["fc"], spec["a"], spec["n"], spec.get("m")
    one.period_ms = spec["ms"]
    one.due = after(0)
    return one


def actuator(number: int, spec: "Spec", unit: "Unit", orders: "Orders") -> "Actuator":
    """The Actuator of an entry of the table; it begins with its safe values."""
    if not spec["min_ms"]:  # as in most tables, and then no module is loaded for it
        return Actuator(number, spec, unit, orders, None)
    from node.write_limits import Wear

    return Actuator(number, spec, unit, orders, Wear)


def name(spec: "Spec") -> str:
    """Of a bus, as people see it."""
    return "%s:%d" % (spec["host"], spec.get("port", 502)) if spec["kind"] == "tcp" else spec["port"]


async def switch(app: "App", beat: "Beat") -> None:
    """The job of a table that came, and of those that come meanwhile."""
    try:
        while app.coming:
            beat()
            await _switch(app)
    except Exception as error:  # half switched, the leases are not watched: safe values at the next boot
        app.supervisor.end("switch: %r" % error)
    app.switch = None


async def _switch(app: "App") -> None:
    """From the table in use to the one that came: safe values first, then the trial."""
    (text, identity, plant), app.coming = app.coming, None
    deaf = app.plant.silent()
    first = not app.identity
    app.orders.leave()
    for _ in range(_PATIENCE):  # a device that the new table does not know would keep what it holds
        if await call("shutdown", "safe", app.plant):
            break
    await call("shutdown", "plant", app.plant, app.supervisor)
    await _run(app, identity, plant)
    missing = None if first else await _trial(plant, deaf)
    if missing:
        app.refused = identity
        app.refusal = "silent: " + " ".join(missing)
        await call("shutdown", "plant", plant, app.supervisor)
        use(app, 0, Plant())
        load(app)
        call("report", "tell", app)
    else:
        store.save(_TABLE, text)
        forget("node.store")


async def _run(app: "App", identity: int, plant: "Plant") -> None:
    use(app, identity, plant)
    start(plant, app.supervisor)
    call("report", "tell", app)
    await asyncio.sleep_ms(0)
    gc.collect()


def use(app: "App", identity: int, plant: "Plant") -> None:
    """Records and orders belong to this plant from now on."""
    app.plant = plant
    app.orders.actuators = plant.actuators
    app.identity = identity
    app.ring.use(identity)


def start(plant: "Plant", supervisor: "Supervisor") -> None:
    """Every bus and actuator is a job of the supervisor."""
    for one in plant.buses:
        plant.jobs.append(supervisor.start("bus " + one.name, one.run, _BUS_MS))
    for actuator in plant.actuators:
        name = "actuator %d" % actuator.number
        plant.jobs.append(supervisor.start(name, actuator.run, _ACTUATOR_MS, _RESTART_MS))


async def _trial(plant: "Plant", deaf: set[str]) -> set[str]:
    """Names of the buses that stay silent and did not before."""
    end = after(_TRIAL_MS)
    while True:
        missing = plant.silent() - deaf
        if not missing or left(end) < 0:
            return missing
        await asyncio.sleep_ms(_LOOK_MS)
