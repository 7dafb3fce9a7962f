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
|        |                                         | node/selftest.py, on a board without a place node/blank.py     |
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

forget("node.store")  # it goes when this module goes
_DOES = const(("info", "health", "get", "set", "commit", "scan", "read", "test", "log", "reboot", "setup"))
_SETUP = const(2)  # of slot: the mode of the next boot


async def answer(app, line):
    """Do what a line asks; whatever is wrong with it is told."""
    request = Request(app)
    try:
        request.ask = json.loads(bytes(line))
        if type(request.ask["id"]) is not int:  # what is nested deep could not be told again
            raise ValueError("id: allowed is a whole number")
        request.id = request.ask["id"]
        if request.ask["do"] not in _DOES:  # a name that is only looked for would stay in memory for ever
            raise ValueError("do: allowed is one of " + ", ".join(_DOES))
        value = getattr(request, "do_" + request.ask["do"])()
        if request.ask["do"] in ("scan", "read", "test"):
            value = await value
        request.tell("ok", value)
    except Exception as error:
        request.tell("error", str(error) if isinstance(error, ValueError) else repr(error))


class Request:
    id = None
    ask = None

    def __init__(self, app):
        self.app = app

    def tell(self, key, what):
        gc.collect()
        json.dump({"id": self.id, key: what}, sys.stdout)
        sys.stdout.write("\n")

    def now(self, what):
        self.tell("now", what)

    def do_info(self):
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

    def do_health(self):
        return self.app.health()

    def do_get(self):
        return {"node": masked(self.app.conf), "table": store.load("table.json", str)}

    def do_set(self):
        ask, aside = self.ask, self.app.aside
        if "table" in ask:
            from wire import table

            try:
                table.parse(ask["table"])
            finally:
                forget("wire.table")
            aside["table.json"] = ask["table"]
        if "node" in ask:
            from wire import essentials

            conf = dict(self.app.conf)
            conf.update(ask["node"])
            text = json.dumps({key: conf[key] for key in conf if conf[key] is not None})
            try:
                essentials.parse(text)
            finally:
                forget("wire.essentials")
            aside["node.json"] = text
        if "label" in ask:
            self.app.memory.write("label", ask["label"])
        return sorted(aside)

    def do_commit(self):
        aside = self.app.aside
        if not aside:
            raise ValueError("nothing is set")
        for name in aside:
            store.save(name, aside[name])
        if "node.json" in aside:
            self.app.memory.write("node", aside["node.json"])
        self.app.restart("console")

    def do_log(self):
        return self.app.log

    def do_reboot(self):
        self.app.restart("console")

    def do_setup(self):
        self.app.memory.put("mode", _SETUP)
        self.app.restart("setup")

    async def do_scan(self):
        from node import scan

        try:
            return await getattr(scan, self.ask["do"])(self.app, self.ask, self.now)
        finally:
            forget("node.scan")

    do_read = do_scan

    async def do_test(self):
        from node import selftest

        try:
            return await selftest.run(self.app, self.now)
        finally:
            forget("node.selftest")


def masked(conf):
    """A copy that may be shown."""
    copy = {}
    for name in conf:
        value = conf[name]
        copy[name] = "***" if name in ("key", "password") else masked(value) if isinstance(value, dict) else value
    return copy
