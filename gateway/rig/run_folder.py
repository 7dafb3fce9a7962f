"""The files of one run: house file, site file and node as in `config/demo`, with their own ports, paths and secrets."""

import json
import secrets
import socket
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gateway.release.build import install_firmware
from gateway.rig.accounts import new_password
from gateway.rig.toml_text import merged, toml

LOOPBACK = "127.0.0.1"
NO_CHANGES: Mapping[str, Any] = {}
KEY_BYTES = 32
RECORDS = {  # of a node: some minutes of them in memory, and a day and more on its disk
    "ring_bytes": 16000,
    "spill_kb": 16384,
    "spill_a_day": 100_000,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Ports of 127.0.0.1, the same through restarts."""

    control: int
    pv: int
    battery: int
    car: int
    tank: int
    heat_pump: int
    broker: int  # for nodes, and whoever has an account
    gateway: int  # of the broker, for those who speak as the gateway
    page: int
    time: int
    database: int

    @classmethod
    @contextmanager
    def held(cls) -> Iterator["Ports"]:
        """Free ones that the system gives to nobody else while the context is open.

        A program that was given one may listen there all the same, because servers ask to reuse their address: the
        socket that holds it does not listen, and allows that once it has the port for itself.
        """
        names = tuple(cls.__dataclass_fields__)
        with ExitStack() as sockets:
            holders = [sockets.enter_context(socket.socket()) for _ in names]
            for holder in holders:
                holder.bind((LOOPBACK, 0))
            for holder in holders:
                holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            yield cls(**{name: holder.getsockname()[1] for name, holder in zip(names, holders, strict=True)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Made for this run. `keys` (hex) and `passwords` are by node, `gateway` among the passwords."""

    passwords: Mapping[str, str]
    keys: Mapping[str, str]
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @classmethod
    def new(cls, *, user: str, nodes: tuple[str, ...]) -> "Secrets":
        """For the gateway's account and every node."""
        passwords = {name: new_password() for name in (user, *nodes)}
        return cls(passwords=passwords, keys={node: secrets.token_hex(KEY_BYTES) for node in nodes})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFolder:
    """A folder with everything that the programs of a run read and write."""

    folder: Path
    ports: Ports
    secrets: Secrets
    house: Mapping[str, Any]
    site: Mapping[str, Any]
    clock_offset_s: int = 0
    """From the machine's clock to the one that the gateway lives by, and gives to the nodes."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of the nodes, in the order of the site file."""
        return tuple(self.site.get("nodes", {}))

    @property
    def site_file(self) -> Path:
        """The gateway's configuration."""
        return self.folder / "site.toml"

    @property
    def house_file(self) -> Path:
        """The building's configuration."""
        return self.folder / "house.toml"

    def node_folder(self, node: str) -> Path:
        """What is on the board."""
        return self.folder / f"node-{node}"

    def gateway_environment(self) -> dict[str, str]:
        """The secrets that the gateway takes from its environment."""
        keys = {f"ZEN_KEY_{node.upper().replace('-', '_')}": key for node, key in self.secrets.keys.items()}
        password = self.secrets.passwords[self.site["broker"]["user"]]
        return {"ZEN_BROKER_PASSWORD": password, "ZEN_INFLUX_TOKEN": self.secrets.token, **keys}

    def write(self) -> None:
        """Everything but the broker's files, which depend on the broker."""
        self.house_file.write_text(toml(self.house), encoding="utf-8")
        self.site_file.write_text(toml(self.site), encoding="utf-8")
        _write_secret(self.folder / "gateway.env", _shell(self.gateway_environment()))
        for node in self.nodes:
            install_node(self.node_folder(node), self._node_description(node))

    def _node_description(self, node: str) -> dict[str, Any]:
        broker = {"host": LOOPBACK, "port": self.ports.broker, "user": node, "password": self.secrets.passwords[node]}
        serial = {bus: str(self.folder / bus) for bus in self.site["nodes"][node].get("buses", {})}
        identity = {"site": self.site["site"]["id"], "node": node, "key": self.secrets.keys[node]}
        return {
            **identity,
            "broker": broker,
            "serial": serial,
            "time": {"port": self.ports.time},
            **RECORDS,
        }


def prepare(
    folder: Path,
    *,
    ports: Ports,
    house_file: Path,
    site_file: Path,
    house: Mapping[str, Any] = NO_CHANGES,
    site: Mapping[str, Any] = NO_CHANGES,
    database: bool = False,
    clock_offset_s: int = 0,
    page_port: int | None = None,
) -> RunFolder:
    """Read both files, change what a run must have of its own, then what the caller changes, and write it all."""
    if page_port is not None:
        ports = replace(ports, page=page_port)
    base = _read(site_file)
    own_site = merged(merged(base, _own_site(merged(base, site), folder, ports, database=database)), site)
    own_house = merged(merged(_read(house_file), _own_house(own_site, folder, ports)), house)
    made = Secrets.new(user=own_site["broker"]["user"], nodes=tuple(own_site.get("nodes", {})))
    run = RunFolder(
        folder=folder, ports=ports, secrets=made, house=own_house, site=own_site, clock_offset_s=clock_offset_s
    )
    folder.mkdir(parents=True, exist_ok=True)
    run.write()
    return run


def port_if_free(port: int) -> int | None:
    """The port of 127.0.0.1 if nobody has it, else None; None for 0 too, which stands for any."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: a late packet does not count
        try:
            trial.bind((LOOPBACK, port))
        except OSError:
            return None
    return port or None


def install_node(folder: Path, description: Mapping[str, Any]) -> None:
    """The firmware compiled as on a board, and the board's own `node.json`."""
    folder.mkdir(mode=0o700, exist_ok=True)
    install_firmware(folder)
    _write_secret(folder / "node.json", json.dumps(description, indent=1))


def _own_site(site: Mapping[str, Any], folder: Path, ports: Ports, *, database: bool) -> dict[str, Any]:
    numbers = {"pv": ports.pv, "battery": ports.battery, **_load_ports(ports)}
    there = site.get("devices", {})
    devices = {name: {"host": LOOPBACK, "tcp_port": port} for name, port in numbers.items() if name in there}
    influx = {"url": f"http://{LOOPBACK}:{ports.database}", "org": "zen", "bucket": "zen"}
    return {
        "broker": {"host": LOOPBACK, "port": ports.gateway, "node_port": ports.broker},
        "page": {"host": LOOPBACK, "port": ports.page},
        "time": {"host": LOOPBACK, "port": ports.time, "settle_s": 0},
        "store": {"path": str(folder / "store.sqlite")},
        "database": influx if database else None,
        "devices": devices,
    }


def _own_house(site: Mapping[str, Any], folder: Path, ports: Ports) -> dict[str, Any]:
    serve: dict[str, Any] = {
        "control": f"{LOOPBACK}:{ports.control}",
        "pv": {"tcp": f"{LOOPBACK}:{ports.pv}"},
        "battery": {"tcp": f"{LOOPBACK}:{ports.battery}"},
    }
    buses = {name: bus for node in site.get("nodes", {}).values() for name, bus in node.get("buses", {}).items()}
    for kind, device in (("rtu", "meter"), ("tic", "linky")):
        lines = [name for name, bus in buses.items() if bus.get("kind", "rtu") == kind]
        if lines:
            serve[device] = {"serial": str(folder / lines[0])}
    there = site.get("devices", {})
    serve |= {
        name.replace("-", "_"): {"tcp": f"{LOOPBACK}:{port}"}
        for name, port in _load_ports(ports).items()
        if name in there
    }
    return {"serve": serve}


def _load_ports(ports: Ports) -> dict[str, int]:
    """By the name that a load's device has in the site file."""
    return {"car": ports.car, "tank": ports.tank, "heat-pump": ports.heat_pump}


def _read(file: Path) -> dict[str, Any]:
    """A TOML file; what it names as `file` is meant beside it, unless it is a bare name, as that of a tariff is."""
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    for inner in table.values():
        if isinstance(inner, dict) and isinstance(inner.get("file"), str):
            is_path = bool(Path(inner["file"]).suffix)
            inner["file"] = str(file.parent / inner["file"]) if is_path else inner["file"]
    return table


def _write_secret(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")


def _shell(environment: Mapping[str, str]) -> str:
    """For a person who wants to run the gateway by hand: `set -a; . ./gateway.env`."""
    return "".join(f"{name}={value}\n" for name, value in environment.items())
