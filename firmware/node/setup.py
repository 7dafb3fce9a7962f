"""Setup without a computer: for ten minutes the node is an access point of its own with one form.

The access point is `zen-<end of the board's number>`, closed with the code of the node's label; without a label there
is none, for an open one would let anybody in. The form is at http://192.168.4.1 (on a computer: port `setup_port` of
node.json, else 8081). What it does not ask (the board's pins) stays as it was. The console on USB works meanwhile.
"""

import asyncio
import gc
import json

from micropython import const
from node import hal, store, usb
from node.wait import forget

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from typing import Any

    from kinds import Memory, Say

_OPEN_MS = const(600000)
_LONGEST = const(2048)  # bytes of a header, and of a body
_PATIENCE_MS = const(5000)
_FIELDS = ("ssid", "wifi", "host", "site", "node", "key")
_PAGE = """<!DOCTYPE html><html lang=%s><meta charset=utf-8><meta name=viewport content="width=device-width">
<title>Zen-e-Ville</title><style>body{font:1.1em sans-serif;margin:1em auto;max-width:22em}
input,button{display:block;font:inherit;width:95%%;margin:.2em 0 1em}</style><h1>Zen-e-Ville</h1><p role=alert>%s</p>"""
_INPUT = '<label>%s<input name=%s type=%s value="%s"></label>'
_ENGLISH = (
    "en|Wi-Fi name|Wi-Fi password|Broker (host:port)|Site|Node|Key (64 digits; empty: as it is)|Save|"
    "Saved. The node restarts.|Not saved:"
)
_FRENCH = (
    "fr|Nom du Wi-Fi|Mot de passe du Wi-Fi|Broker (hôte:port)|Site|Nœud|Clé (64 chiffres ; vide : inchangée)|"
    "Enregistrer|Enregistré. Le nœud redémarre.|Non enregistré :"
)


class Setup:
    """Stands in the place of the App for the console."""

    boot = 0
    mode = "setup"
    version: str = None
    build: int = None
    plant: "Any" = None
    link: "Any" = None
    push: "Any" = None
    saved = False

    def __init__(self, say: "Say", memory: "Memory") -> None:
        self.say = say
        self.memory = memory
        self.log: list = []
        self.pending: dict[str, str] = {}
        self.end = asyncio.Event()
        try:
            with open("node.json") as file:
                self.conf = json.load(file)
        except (OSError, ValueError):
            self.conf = {}

    def health(self) -> dict:
        return {"heap_free": gc.mem_free()}

    def restart(self, _why: str) -> None:
        self.end.set()

    def live(self) -> None:
        """Until something is saved, or for ten minutes; then a restart. Ctrl-C ends it."""
        self.memory.put("short", 0)  # a wanted restart is none of the short boots
        hal.led(self.conf.get("led"))(True)
        try:
            asyncio.run(self.run())
        except KeyboardInterrupt:
            return
        hal.reset()

    async def run(self) -> None:
        code = self.memory.text("label")
        name = "zen-" + hal.uid()[-6:]
        if code:
            hal.access_point(name, code, True)
        server = await asyncio.start_server(self._serve, "0.0.0.0", self.conf.get("setup_port", 80), 2)
        usb_task = asyncio.create_task(usb.listen(self, None))
        self.say("setup: " + (name if code else "no label, no access point"))
        try:
            await asyncio.wait_for_ms(self.end.wait(), _OPEN_MS)
            await asyncio.sleep_ms(1000)  # the answer is on its way
        except asyncio.TimeoutError:
            pass
        usb_task.cancel()
        server.close()

    async def _serve(self, reader: "asyncio.StreamReader", writer: "asyncio.StreamWriter") -> None:
        gc.collect()
        try:
            request: tuple[bytes, bytes] = await asyncio.wait_for_ms(_request(reader), _PATIENCE_MS)
            head, body = request
            words = (_FRENCH if b"accept-language: fr" in head else _ENGLISH).split("|")
            values = self._values()
            message = ""
            if head[:4] == b"post":
                values.update(fields(body))
                message = words[8]
                try:
                    self._save(values)
                except ValueError as error:
                    message = "%s %s" % (words[9], error)
            writer.write("HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nCache-Control: no-store\r\n\r\n")
            writer.write(_PAGE % (words[0], escape(message)))
            if not self.saved:
                writer.write("<form method=post>")
                for i, name in enumerate(_FIELDS):
                    hidden = name in ("wifi", "key")
                    kind, value = ("password", "") if hidden else ("text", escape(values[name]))
                    writer.write(_INPUT % (words[i + 1], name, kind, value))
                writer.write("<button>%s</button></form>" % words[7])
            await asyncio.wait_for_ms(writer.drain(), _PATIENCE_MS)
        except (OSError, ValueError, MemoryError, asyncio.TimeoutError):
            pass  # a phone that changed its mind
        finally:
            await writer.wait_closed()
            if self.saved:
                self.end.set()

    def _values(self) -> dict[str, str]:
        """What the form shows before anybody has filled it in."""
        conf = self.conf
        broker = conf.get("broker", {})
        return {
            "ssid": conf.get("wifi", {}).get("ssid", ""),
            "host": "%s:%s" % (broker["host"], broker["port"]) if broker else "",
            "site": conf.get("site", ""),
            "node": conf.get("node", ""),
        }

    def _save(self, values: dict[str, str]) -> None:
        """ValueError says what is wrong with them."""
        from wire import essentials

        conf = dict(self.conf)
        for name in ("site", "node", "key"):
            if values.get(name):
                conf[name] = values[name].strip()
        host, _, digits = values["host"].strip().partition(":")
        port = int(digits) if digits.isdigit() else digits or 1883
        conf["broker"] = dict(conf.get("broker", {}), host=host, port=port)
        if values["ssid"]:
            secret = values.get("wifi") or conf.get("wifi", {}).get("password")
            conf["wifi"] = {"ssid": values["ssid"], "password": secret}
        text = json.dumps(conf)
        try:
            essentials.take(text)
        finally:
            forget("wire.essentials")
        store.save("node.json", text)
        self.memory.write("node", text)
        self.memory.put("test", 1)
        self.saved = True


async def _request(reader: "asyncio.StreamReader") -> tuple[bytes, bytes]:
    """(head in lower case, body); ValueError when either is too long or cut."""
    head = body = b""
    while b"\r\n\r\n" not in head:
        more = await reader.read(256)
        if not more or len(head) > _LONGEST:
            raise ValueError
        head += more
    head, _, body = head.partition(b"\r\n\r\n")
    head = head.lower()
    _, _, length = head.partition(b"content-length:")
    size = int(length.partition(b"\r")[0] or 0)
    while len(body) < size:
        more = await reader.read(256)
        if not more or size > _LONGEST:
            raise ValueError
        body += more
    return head, body


def fields(body: bytes) -> dict[str, str]:
    """The values of a form; ValueError when they are not URL-encoded UTF-8."""
    values = {}
    for pair in body.split(b"&"):
        name, _, raw = pair.partition(b"=")
        parts = raw.replace(b"+", b" ").split(b"%")
        text = parts[0]
        for part in parts[1:]:
            text += bytes((int(part[:2], 16),)) + part[2:]
        values[name.decode()] = text.decode()
    return values


def escape(text: str) -> str:
    """Text that is nothing but text in a page."""
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(sign, entity)
    return text
