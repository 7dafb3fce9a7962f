"""A node's `node.json` from the site file, the table of boards and its secrets."""

import base64
import json
import ssl
from collections.abc import Mapping
from typing import Any

from gateway.adapters.boards import Board
from gateway.commission.secrets import NodeSecrets
from gateway.mistakes import Mistake, choice
from gateway.site.file.cautions import is_loopback
from gateway.site.file.site_file import SiteFile, SiteFileError
from gateway.wire import essentials

DISK = {"spill_kb": 16384, "spill_a_day": 100_000}  # for the records of a node on a computer: a day and more


def compose(
    file: SiteFile, node: str, boards: Mapping[str, Board], secrets: NodeSecrets, *, computer: bool = False
) -> dict[str, Any]:
    """The object of node.json. Raises SiteFileError with what the site file lacks for it.

    `computer`: the node runs on a computer, which has its own network and whose lines are no pins.
    """
    section = file.nodes[node]
    mistakes = list(_mistakes(file, node, boards, computer=computer))
    if mistakes:
        raise SiteFileError(file.path, mistakes)
    broker = file.broker
    host = broker.node_host or broker.host
    conf: dict[str, Any] = {
        "v": essentials.VERSION,
        "site": file.site.id,
        "node": node,
        "key": secrets.key,
        "broker": {"host": host, "port": broker.node_port or broker.port},
        "time": {"host": host, "port": file.time.port},
    }
    if secrets.broker_password:
        conf["broker"] |= {"user": node, "password": secrets.broker_password}
    ca = broker.node_ca or broker.ca
    if ca:
        conf["broker"]["ca"] = _certificate(file, ca)
    if section.board and not computer:
        conf |= {"board": section.board} | boards[section.board].node_rows()
        conf["serial"] = _serial(conf["serial"], list(section.buses))
    if computer:
        conf |= DISK
    if section.wifi and not computer:
        conf.pop("eth", None)
        conf["wifi"] = {"ssid": section.wifi, "password": secrets.wifi_password}
    essentials.parse(json.dumps(conf))
    return conf


def _mistakes(file: SiteFile, node: str, boards: Mapping[str, Board], *, computer: bool) -> Any:
    section = file.nodes[node]
    host = file.broker.node_host or file.broker.host
    if is_loopback(host) and not computer:
        allowed = "the broker's address as the nodes see it, such as 192.168.1.10"
        yield Mistake(path="broker.node_host", found=host, allowed=allowed)
    if computer:
        return
    if is_loopback(file.time.host):
        yield Mistake(path="time.host", found=file.time.host, allowed='an address the nodes reach, such as "0.0.0.0"')
    if file.time.port == 0:
        yield Mistake(path="time.port", found="0", allowed="a fixed port: the nodes learn it once")
    place = f"nodes.{node}"
    if section.board is None:
        yield Mistake(path=f"{place}.board", found="nothing", allowed=choice("", list(boards)))
    elif section.board in boards:
        wired = boards[section.board].eth is not None
        if section.ethernet and not wired:
            allowed = "a board with Ethernet: " + choice("", [n for n, b in boards.items() if b.eth])
            yield Mistake(path=f"{place}.board", found=section.board, allowed=allowed)
        lines = list(boards[section.board].node_rows()["serial"])
        if len(section.buses) > len(lines):
            allowed = f"at most {len(lines)}: the board has {', '.join(lines)}"
            yield Mistake(path=f"{place}.buses", found=f"{len(section.buses)} lines", allowed=allowed)
    if not section.wifi and not section.ethernet:
        yield Mistake(path=place, found="neither wifi nor ethernet", allowed='wifi = "name" or ethernet = true')


def _serial(lines: Mapping[str, Any], buses: list[str]) -> dict[str, Any]:
    """The board's lines under the names of the site file: those of the same name first, then one after the other."""
    free = {name: row for name, row in lines.items() if name not in buses}
    named = {name: lines[name] for name in buses if name in lines}
    for name in buses:
        if name not in named:
            named[name] = free.pop(next(iter(free)))
    return named | free


def _certificate(file: SiteFile, ca: str) -> str:
    """The first certificate of a PEM file as the node needs it: base64 of its DER."""
    pem = (file.path.parent / ca).read_text(encoding="ascii")
    begin, end = pem.index(ssl.PEM_HEADER), pem.index(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)
    return base64.b64encode(ssl.PEM_cert_to_DER_cert(pem[begin:end])).decode()
