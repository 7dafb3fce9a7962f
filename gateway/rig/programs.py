"""How each part of a chain is started, given the files of its run."""

from collections.abc import Mapping

from gateway.rig.broker import embedded_program, mosquitto_program, write_accounts
from gateway.rig.database import database_program
from gateway.rig.part import Part
from gateway.rig.processes import Program
from gateway.rig.readiness import JsonLine, Ready
from gateway.rig.run_folder import RunFolder
from gateway.rig.zen_command import ZEN, own_environment

HOUSE, BROKER, NODE, GATEWAY, DATABASE = "house", "broker", "node", "gateway", "database"


def programs_of(run: RunFolder, parts: Mapping[str, Part], *, heap_k: int) -> dict[str, Program]:
    """All programs of a run by name; a second node is called `node-<its name>`. Writes the broker's files."""
    programs = {HOUSE: _house(run), BROKER: _broker(run, parts.get("mosquitto")), GATEWAY: _gateway(run)}
    for place, node in enumerate(run.nodes):
        name = NODE if place == 0 else f"{NODE}-{node}"
        programs[name] = _node(run, node, name=name, part=parts["micropython"], heap_k=heap_k)
    if "influxd" in parts:
        folder = run.folder / "influxd"
        programs[DATABASE] = database_program(parts["influxd"], port=run.ports.database, folder=folder)
    return programs


def _broker(run: RunFolder, part: Part | None) -> Program:
    folder = run.folder / "broker"
    write_accounts(folder, run.secrets.passwords)
    if part is None:
        return embedded_program(port=run.ports.broker, gateway_port=run.ports.gateway, folder=folder)
    return mosquitto_program(part, port=run.ports.broker, gateway_port=run.ports.gateway, folder=folder)


def _node(run: RunFolder, node: str, *, name: str, part: Part, heap_k: int) -> Program:
    heap = f"heapsize={heap_k}wk"  # `w`: counted in 32-bit words
    return Program(
        name=name,
        command=(str(part.path), "-X", heap, "main.py"),
        folder=run.node_folder(node),
        environment={"MICROPYPATH": ".frozen:."},  # `.frozen` is where asyncio lives
    )


def _house(run: RunFolder) -> Program:
    return _ours(HOUSE, run, "house", str(run.house_file), ready=JsonLine(key="ready"))


def _gateway(run: RunFolder) -> Program:
    ready = JsonLine(key="ready")  # not the page itself: another program may answer at that port
    shift = (f"--clock-offset-s={run.clock_offset_s}",) if run.clock_offset_s else ()
    arguments = ("run", str(run.site_file), *shift)
    return _ours(GATEWAY, run, *arguments, ready=ready, more=run.gateway_environment())


def _ours(name: str, run: RunFolder, *arguments: str, ready: Ready, more: Mapping[str, str] | None = None) -> Program:
    """A command of ours, by the Python we run on, wherever the package was imported from."""
    environment = {**own_environment(), **(more or {})}
    command = (*ZEN, *arguments)
    return Program(name=name, command=command, folder=run.folder, environment=environment, ready=ready)
