"""The console on USB: one JSON object a line each way. This text is its reference; `zen node` speaks it.

Request: {"id": 1, "do": "info", ...}. While it works: {"id": 1, "now": ...} for each step. At the end, once:
{"id": 1, "ok": ...} or {"id": 1, "error": "place: allowed is ..."}. Lines without "id" are log text.

| do     | fields                                  | answer                                                         |
|--------|-----------------------------------------|----------------------------------------------------------------|
| info   |                                         | versions, board, uid, mode, slot, link, names of the modules …  |
| health |                                         | what the topic `health` says                                   |
| get    |                                         | {"node": node.json, "table": text}; secrets are shown as "***" |
| set    | node: fields to change (null: without), | the names of the files that wait for `commit`                  |
|        | table: JSON text, label: code           |                                                                |
| commit |                                         | keeps what was set (also in NVS), then restarts                |
| scan   | bus, baud: [..], from, to, timeout_ms   | [[baud, unit, function, flag], ...]; `now`: [baud, unit]       |
| read   | bus, unit, fc, a, n                     | {"flag", "data": hex of the raw registers}                     |
| test   |                                         | rows {"step", "n", "ok", "text"}, each also as `now`; see      |
|        |                                         | node/selftest.py, without a place node/board_test.py             |
| log    |                                         | the last lines that were said                                  |
| reboot |                                         | restarts; safe values first                                    |
| setup  |                                         | restarts into the setup access point                           |

A `bus` is a number of the poll table or an object as in its `buses`. A flag is one of `wire.records`: 0 answered,
3 refused (also a sign of life). No answer ever holds a key or a password.
"""

import binascii
import gc
import hashlib
import json
import sys

from micropython import const
from node import hal, store
from node.wait import forget

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from typing import Any

    from kinds import Buffer, Conf, Console, Spec

forget("node.store")  # it goes when this module goes
_SETUP = const(2)  # of slot: the mode of the next boot


async def answer(app: "Console", line: "Buffer") -> None:
    """Do what a line asks; whatever is wrong with it is answered."""
    request = Request(app)
    try:
        request.ask = json.loads(bytes(line))
        if type(request.ask["id"]) is not int:  # what is nested deep could not be repeated
            raise ValueError("id: allowed is a whole number")
        request.id = request.ask["id"]
        if request.ask["do"] not in _DO:
            raise ValueError("do: allowed is one of " + ", ".join(sorted(_DO)))
        value: "Any" = _DO[request.ask["do"]](request)
        if request.ask["do"] in ("scan", "read", "test"):
            value = await value
        request.tell("ok", value)
    except Exception as error:
        request.tell("error", str(error) if isinstance(error, ValueError) else repr(error))


class Request:
    id: int = None
    ask: "Spec" = None

    def __init__(self, app: "Console") -> None:
        self.app = app

    def tell(self, key: str, what: object) -> None:
        gc.collect()
        json.dump({"id": self.id, key: what}, sys.stdout)
        sys.stdout.write("\n")

    def now(self, what: object) -> None:
        self.tell("now", what)

    def do_info(self) -> dict:
        app = self.app
        conf = app.conf
        memory = app.memory
        key = conf.get("key", "")
        return {
            "boot": app.boot,
            "fw": app.version,
            "build": app.build,
            "python": sys.version,
            "platform": sys.platform,
            "board": conf.get("board"),
            "uid": hal.uid(),
            "mode": app.mode,
            "slot": memory.here,
            "why": memory.text("why"),
            "label": bool(memory.text("label")),
            "site": conf.get("site"),
            "node": conf.get("node"),
            "key": key and binascii.hexlify(hashlib.sha256(key.encode()).digest()[:4]),
            "link": app.link and app.link.said,
            "modules": sorted(sys.modules),
        }

    def do_health(self) -> dict:
        return self.app.health()

    def do_get(self) -> dict:
        return {"node": masked(self.app.conf), "table": store.load("table.json", str)}

    def do_set(self) -> list[str]:
        ask, pending = self.ask, self.app.pending
        if "table" in ask:
            from wire import table

            try:
                table.parse(ask["table"])
            finally:
                forget("wire.table")
            pending["table.json"] = ask["table"]
        if "node" in ask:
            from wire import essentials

            conf = dict(self.app.conf)
            conf.update(ask["node"])
            text = json.dumps({key: conf[key] for key in conf if conf[key] is not None})
            try:
                essentials.take(text)
            finally:
                forget("wire.essentials")
            pending["node.json"] = text
        if "label" in ask:
            self.app.memory.write("label", ask["label"])
        return sorted(pending)

    def do_commit(self) -> None:
        pending = self.app.pending
        if not pending:
            raise ValueError("nothing is set")
        for name in pending:
            store.save(name, pending[name])
        if "node.json" in pending:
            self.app.memory.write("node", pending["node.json"])
        self.app.restart("console")

    def do_log(self) -> list:
        return self.app.log.lines

    def do_reboot(self) -> None:
        self.app.restart("console")

    def do_setup(self) -> None:
        self.app.memory.put("mode", _SETUP)
        self.app.restart("setup")

    async def do_scan(self) -> list:
        from node import scan

        try:
            return await scan.scan(self.app, self.ask, self.now)
        finally:
            forget("node.scan")

    async def do_read(self) -> dict:
        from node import scan

        try:
            return await scan.read(self.app, self.ask)
        finally:
            forget("node.scan")

    async def do_test(self) -> list:
        from node import selftest

        try:
            return await selftest.run(self.app, self.now)
        finally:
            forget("node.selftest")


_DO = {
    "info": Request.do_info,
    "health": Request.do_health,
    "get": Request.do_get,
    "set": Request.do_set,
    "commit": Request.do_commit,
    "scan": Request.do_scan,
    "read": Request.do_read,
    "test": Request.do_test,
    "log": Request.do_log,
    "reboot": Request.do_reboot,
    "setup": Request.do_setup,
}


def masked(conf: "Conf") -> dict:
    """A copy that may be shown."""
    copy = {}
    for name in conf:
        value = conf[name]
        copy[name] = "***" if name in ("key", "password") else masked(value) if isinstance(value, dict) else value
    return copy
