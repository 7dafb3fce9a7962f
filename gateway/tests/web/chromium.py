"""A real Chromium without a window, driven over its DevTools protocol."""

import base64
import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import websocket

QUIET = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--remote-debugging-port=0",
)  # fmt: skip


class Chromium:
    """One browser; each tab has cookies and storage of its own."""

    def __init__(self, executable):
        self._folder = tempfile.TemporaryDirectory(prefix="zen-chromium-", ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [executable, *QUIET, f"--user-data-dir={self._folder.name}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._socket = websocket.create_connection(self._address(), timeout=30, suppress_origin=True)
        self._number = 0
        self._listeners = {}

    def _address(self, within_s=30):
        file = Path(self._folder.name) / "DevToolsActivePort"
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            lines = file.read_text().split() if file.exists() else []
            if len(lines) == 2:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
            if self._process.poll() is not None:
                raise RuntimeError(f"Chromium ended with code {self._process.returncode} before it listened")
            time.sleep(0.05)
        raise TimeoutError(f"Chromium does not listen after {within_s} s")

    def call(self, method, session=None, **parameters):
        """One command and its result; events that arrive meanwhile go to their tab."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        self._socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") != self._number:
                self._listeners.get(answer.get("sessionId"), lambda _event: None)(answer)
            elif "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']['message']}")
            else:
                return answer["result"]

    def open(self, url, **look):
        """A new tab that shows an address; `look` as in Tab."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(self, session, target, **look)
        self._listeners[session] = tab.hear
        tab.go(url)
        return tab

    def close(self):
        """Ends the browser with all its processes."""
        self._socket.close()
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        self._folder.cleanup()


class Tab:
    """One tab: what it shows, asks for and complains about."""

    def __init__(self, browser, session, target, *, width=1280, height=900, dark=False, still=False):
        self._browser, self._session, self._target = browser, session, target
        self.errors = []
        self.requests = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self._call(f"{domain}.enable")
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        features = {"prefers-color-scheme": "dark" if dark else "light"}
        features |= {"prefers-reduced-motion": "reduce" if still else "no-preference"}
        self._call("Emulation.setEmulatedMedia", features=[{"name": n, "value": v} for n, v in features.items()])

    def _call(self, method, **parameters):
        return self._browser.call(method, self._session, **parameters)

    def hear(self, event):
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

    def go(self, url):
        self._call("Page.navigate", url=url)

    def run(self, script):
        """The JSON value of a JavaScript expression; a promise is awaited."""
        answer = self._call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']['exception'].get('description')}")
        return answer["result"].get("value")

    def wait(self, script, *, within_s=15):
        """Waits until an expression is true; TimeoutError with its last value."""
        end = time.monotonic() + within_s
        value = None
        while time.monotonic() < end:
            try:
                if value := self.run(script):
                    return value
            except RuntimeError as error:  # the page is being replaced, or an element is not there yet
                value = error
            time.sleep(0.05)
        raise TimeoutError(f"not true after {within_s} s: {script} (last: {value!r}; errors: {self.errors})")

    def text(self, selector):
        return self.run(f"document.querySelector({json.dumps(selector)}).innerText")

    def picture(self, path=None):
        """The whole page as PNG."""
        size = self._call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        png = base64.b64decode(self._call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)["data"])
        if path:
            Path(path).write_bytes(png)
        return png

    def close(self):
        self._browser.call("Target.closeTarget", targetId=self._target)
