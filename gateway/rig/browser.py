"""A real Chromium without a window, driven over its DevTools protocol.

Its web socket is spoken by websocket-client, which only the group `dev` of pyproject.toml has.
"""

import base64
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import websocket

QUIET = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--remote-debugging-port=0",
)  # fmt: skip
LISTENS_WITHIN_S = 30.0
SHOWS_WITHIN_S = 30.0
LOOK_EVERY_S = 0.05

Message = Mapping[str, Any]


class Chromium:
    """One browser; each tab has cookies and storage of its own."""

    def __init__(self, executable: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="zen-chromium-", ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [executable, *QUIET, f"--user-data-dir={self._folder.name}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._socket = websocket.create_connection(self._address(), timeout=30, suppress_origin=True)
        self._number = 0
        self._listeners: dict[str | None, Callable[[Message], None]] = {}

    def _address(self) -> str:
        file = Path(self._folder.name) / "DevToolsActivePort"
        end = time.monotonic() + LISTENS_WITHIN_S
        while time.monotonic() < end:
            lines = file.read_text().split() if file.exists() else []
            if len(lines) == 2:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
            if self._process.poll() is not None:
                raise RuntimeError(f"Chromium ended with code {self._process.returncode} before it listened")
            time.sleep(LOOK_EVERY_S)
        raise TimeoutError(f"Chromium does not listen after {LISTENS_WITHIN_S:.0f} s")

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """One command and its result; events that arrive meanwhile go to their tab."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        self._socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") != self._number:
                self._listeners.get(answer.get("sessionId"), _ignore)(answer)
            elif "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']['message']}")
            else:
                return dict(answer["result"])

    def open(self, url: str, *, width: int = 1280, height: int = 900, dark: bool = False, still: bool = False) -> "Tab":
        """A new tab that shows an address; pixels of its window, dark colours, no movement."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = str(self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        tab = Tab(self, session, str(target), width=width, height=height, dark=dark, still=still)
        self._listeners[session] = tab.hear
        tab.go(url)
        return tab

    def close(self) -> None:
        """Ends the browser with all its processes."""
        self._socket.close()
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        self._folder.cleanup()


class Tab:
    """One tab: what it shows, asks for and complains about."""

    def __init__(
        self, browser: Chromium, session: str, target: str, *, width: int, height: int, dark: bool, still: bool
    ) -> None:
        self._browser, self._session, self._target = browser, session, target
        self.errors: list[str] = []
        self.requests: list[str] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self._call(f"{domain}.enable")
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        features = {"prefers-color-scheme": "dark" if dark else "light"}
        features |= {"prefers-reduced-motion": "reduce" if still else "no-preference"}
        self._call("Emulation.setEmulatedMedia", features=[{"name": n, "value": v} for n, v in features.items()])

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **parameters)

    def hear(self, event: Message) -> None:
        """Keeps requests, uncaught errors, and errors and warnings of the console."""
        kind, facts = event["method"], event["params"]
        if kind == "Network.requestWillBeSent":
            self.requests.append(facts["request"]["url"])
        elif kind == "Runtime.exceptionThrown":
            self.errors.append(facts["exceptionDetails"].get("exception", {}).get("description", str(facts)))
        elif kind == "Runtime.consoleAPICalled" and facts["type"] in ("error", "warning", "assert"):
            self.errors.append(str([each.get("value", each.get("description")) for each in facts["args"]]))
        elif kind == "Log.entryAdded" and facts["entry"]["level"] in ("error", "warning"):
            self.errors.append(f"{facts['entry']['text']} {facts['entry'].get('url', '')}")

    def go(self, url: str) -> None:
        """Show another address."""
        self._call("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The JSON value of a JavaScript expression; a promise is awaited."""
        answer = self._call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']['exception'].get('description')}")
        return answer["result"].get("value")

    def wait(self, script: str, *, within_s: float = SHOWS_WITHIN_S) -> Any:
        """The value of an expression once it is true; TimeoutError with its last one."""
        end = time.monotonic() + within_s
        value: Any = None
        while time.monotonic() < end:
            try:
                if value := self.run(script):
                    return value
            except RuntimeError as error:  # the page is being replaced, or an element is not there yet
                value = error
            time.sleep(LOOK_EVERY_S)
        raise TimeoutError(f"not true after {within_s} s: {script} (last: {value!r}; errors: {self.errors})")

    def text(self, selector: str) -> str:
        """What a person reads in an element."""
        return str(self.run(f"document.querySelector({json.dumps(selector)}).innerText"))

    def picture(self, path: Path | None = None, *, scale: float = 1.0, height: float | None = None) -> bytes:
        """The whole page as PNG, or its upper part, so many times as large."""
        size = self._call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": height or size["height"], "scale": scale}
        png = base64.b64decode(self._call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)["data"])
        if path:
            path.write_bytes(png)
        return png

    def close(self) -> None:
        """It shows nothing any more."""
        self._browser.call("Target.closeTarget", targetId=self._target)


def _ignore(_event: Message) -> None:
    """An event of a tab that has been closed in the meantime: it changes nothing."""
