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
| test   |                                         | rows {"step", "n", "ok", "text"}, each also as `now`           |
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

import slot
from micropython import const
from node import hal, store
from node.wait import forget

_SETUP = const(2)


async def answer(app, line):
    """Do what a line asks; whatever is wrong with it is told."""
    number = None

    def tell(key, what):
        json.dump({"id": number, key: what}, sys.stdout)
        print()

    try:
        ask = json.loads(bytes(line))
        number = ask["id"]
        tell("ok", await _DO[ask["do"]](app, ask, lambda what: tell("now", what)))
    except Exception as error:
        tell("error", str(error) if isinstance(error, ValueError) else repr(error))
    gc.collect()


async def _info(app, ask, tell):
    memory = slot.memory()
    key = app.conf.get("key", "")
    return {
        "fw": app.version,
        "build": app.build,
        "python": sys.version,
        "board": app.conf.get("board"),
        "uid": hal.uid(),
        "mode": memory.get("mode"),
        "slot": memory.get("slot"),
        "why": memory.text("why"),
        "site": app.conf.get("site"),
        "node": app.conf.get("node"),
        "key": key and binascii.hexlify(hashlib.sha256(key.encode()).digest()[:4]).decode(),
        "link": app.link and app.link.said,
        "modules": sorted(sys.modules),
    }


async def _health(app, ask, tell):
    return app.health()


async def _get(app, ask, tell):
    try:
        with open("table.json") as file:
            table = file.read()
    except OSError:
        table = None
    return {"node": _masked(app.conf), "table": table}


async def _set(app, ask, tell):
    if "table" in ask:
        from wire import table

        try:
            table.parse(ask["table"])
        finally:
            forget("wire.table")
        app.aside["table.json"] = ask["table"]
    if "node" in ask:
        from wire import essentials

        conf = dict(app.conf)
        conf.update(ask["node"])
        text = json.dumps({key: conf[key] for key in conf if conf[key] is not None})
        try:
            essentials.parse(text)
        finally:
            forget("wire.essentials")
        app.aside["node.json"] = text
    if "label" in ask:
        slot.memory().write("label", ask["label"])
    return sorted(app.aside)


async def _commit(app, ask, tell):
    if not app.aside:
        raise ValueError("nothing is set")
    for name in app.aside:
        store.save(name, app.aside[name])
    if "node.json" in app.aside:
        slot.memory().write("node", app.aside["node.json"])
    app.restart("commit")


async def _scan(app, ask, tell):
    from node import scan

    try:
        return await scan.DO[ask["do"]](app, ask, tell)
    finally:
        forget("node.scan")


async def _log(app, ask, tell):
    return app.log


async def _test(app, ask, tell):
    from node import selftest

    try:
        return await selftest.run(app, tell)
    finally:
        forget("node.selftest")


async def _reboot(app, ask, tell):
    app.restart("console")


async def _setup(app, ask, tell):
    slot.memory().put("mode", _SETUP)
    app.restart("setup")


def _masked(conf):
    copy = {}
    for name in conf:
        value = conf[name]
        copy[name] = "***" if name in ("key", "password") else _masked(value) if isinstance(value, dict) else value
    return copy


_DO = {
    "info": _info, "health": _health, "get": _get, "set": _set, "commit": _commit, "scan": _scan, "read": _scan,
    "test": _test, "log": _log, "reboot": _reboot, "setup": _setup,
}  # fmt: skip
