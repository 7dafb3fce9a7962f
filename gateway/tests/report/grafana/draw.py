"""`python -m gateway.tests.report.grafana.draw FOLDER`: every dashboard drawn from the real answers of a database.

Both themes and both languages; one picture of each board for the docs. Drawn with Grafana's component library in a
browser, not by a Grafana server. Its packages (450 MB) are in FOLDER, never in this tree.
"""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from gateway.paths import config_folder
from gateway.report.grafana.files import files
from gateway.rig import parts
from gateway.rig.browser import Chromium, Tab
from gateway.rig.part import Machine, Part
from gateway.tests.report.grafana import asked, day_rows, days

HERE = Path(__file__).parent
SOURCES = ("package.json", "package-lock.json", "build.mjs", "check.mjs", "page.jsx")
FONTS = {"Regular": "400", "Medium": "500"}  # as @grafana/ui asks for them, and has them not
NOW = datetime(2026, 10, 27, 11, 40, tzinfo=asked.PARIS)
FIRST, DAYS, RAW_FROM = date(2026, 9, 25), 34, date(2026, 10, 26)
CAPTION = {
    "en": "Drawn with Grafana’s component library, not by a Grafana server; the answers are those of a real InfluxDB.",
    "fr": "Dessiné avec la bibliothèque de composants de Grafana, pas par un serveur Grafana ; vraie base InfluxDB.",
}
PAGE = """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><link rel="stylesheet" href="page.css">
<style>body{margin:0;font-family:Inter,sans-serif}pre{color:#c00;white-space:pre-wrap}</style><div id="root"></div>
<script>window.onerror=(m)=>{const p=document.createElement("pre");p.textContent=m;document.body.append(p)}</script>
<script type="module" src="page.js"></script>"""
DRAWN = (
    "document.querySelectorAll('#caption').length && document.fonts.status === 'loaded'"
    " && document.querySelectorAll('section').length >= %d"
)
COMPLAINTS = "[...document.querySelectorAll('pre')].map((one) => one.innerText.split('\\n')[0])"
MOST_BYTES = 150_000


class NotDrawnError(Exception):
    """A board that is not as it should be, or something that is missing on this machine."""


def prepared(folder: Path) -> None:
    """The packages of package-lock.json in `folder`, and the bundle of the page."""
    if not shutil.which("npm"):
        raise NotDrawnError("npm is not on this machine: apt-get install npm (as root)")
    folder.mkdir(parents=True, exist_ok=True)
    lock = (HERE / "package-lock.json").read_bytes()
    is_new = not (folder / "node_modules").is_dir() or (folder / "package-lock.json").read_bytes() != lock
    for name in SOURCES:
        shutil.copy2(HERE / name, folder / name)
    if is_new:
        _run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder)
    _run(["node", "build.mjs", "page.jsx", "page.js"], folder)
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    fonts = folder / "public" / "fonts" / "inter"
    fonts.mkdir(parents=True, exist_ok=True)
    for name, weight in FONTS.items():
        packed = folder / "node_modules" / "@fontsource" / "inter" / "files" / f"inter-latin-{weight}-normal.woff2"
        shutil.copy2(packed, fonts / f"Inter-{name}.woff2")


def typed(folder: Path) -> None:
    """Whether every dashboard fits the types that Grafana publishes, and whether a wrong one does not."""
    boards = sorted(str(path) for path in (config_folder() / "grafana").glob("*/dashboards/*.json"))
    _run(["node", "check.mjs", *boards], folder)
    text = Path(boards[0]).read_text("utf-8").replace('"drawStyle": "line"', '"drawStyle": "lins"')
    with tempfile.TemporaryDirectory() as scratch:
        wrong = Path(scratch) / "en" / "dashboards" / "wrong.json"
        wrong.parent.mkdir(parents=True)
        wrong.write_text(text, encoding="utf-8")
        try:
            _run(["node", "check.mjs", str(wrong)], folder)
        except NotDrawnError:
            print(f"types: {len(boards)} dashboards fit, a wrong one does not")  # noqa: T201
            return
    raise NotDrawnError("check.mjs finds nothing wrong with a drawStyle that does not exist")


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotDrawnError(f"{' '.join(command)}: {done.stderr[-800:]}")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder on a free port of this machine."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing: what fails is seen on the page."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


async def answered(folder: Path) -> dict[str, Mapping[str, Any]]:
    """The answers to every dashboard in `<language>-<board>.data.json`; the dashboards by that name."""
    influxd = _part("influxd")
    boards = {
        f"{name[:2]}-{Path(name).stem}": json.loads(text) for name, text in files().items() if "/dashboards/" in name
    }
    boards.pop("pr-zen", None)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as scratch:
        async with asked.scratch(influxd, Path(scratch), port) as database:
            for language in CAPTION:
                made = day_rows.rows(
                    FIRST, DAYS, building=f"lens-{language}", language=language,
                    raw_from_s=days.local(RAW_FROM), now_s=NOW.timestamp(),
                )  # fmt: skip
                await asked.fill(database, made)
            for name, board in boards.items():
                found = await asked.answers(database, board, NOW, f"lens-{name[:2]}")
                spans = {panel["id"]: asked.span_of(board, panel, NOW) for panel in board["panels"]}
                data = {
                    "board": board,
                    "answers": found,
                    "spans": {number: (span.start_ms, span.end_ms) for number, span in spans.items()},
                    "zone": "Europe/Paris",
                    "caption": CAPTION[name[:2]],
                }
                (folder / f"{name}.data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return boards


def _part(name: str) -> Part:
    found = parts.find(name, Machine())
    if not isinstance(found, Part):
        raise NotDrawnError(f"{name}: {found.why}; {found.remedy}")
    return found


def drawn(tab: Tab, url: str, name: str, theme: str, board: Mapping[str, Any]) -> None:
    """Show a board and wait until all of it is there. Raises NotDrawnError for what the page complains of."""
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    tab.go(f"{url}/index.html?board={name}&theme={theme}")
    try:
        tab.wait(DRAWN % len(panels), within_s=15.0)
    except TimeoutError:
        raise NotDrawnError(f"{name}, {theme}: {tab.run(COMPLAINTS) or tab.errors}") from None
    tab.run("new Promise((done) => setTimeout(done, 400))")  # the last frames of tables and charts
    if complaints := tab.run(COMPLAINTS):
        raise NotDrawnError(f"{name}, {theme}: {complaints}")
    missing = [panel["title"] for panel in panels if panel["title"] not in tab.text("#root")]
    if missing:
        raise NotDrawnError(f"{name}, {theme}: not on the page: {missing}")


def draw(folder: Path, pictures: Path) -> None:
    """All boards; those in English and light, and in French and dark, turn by turn, for the docs."""
    prepared(folder)
    typed(folder)
    boards = asyncio.run(answered(folder))
    pictures.mkdir(parents=True, exist_ok=True)
    browser = Chromium(str(_part("chromium").path))
    try:
        with served(folder) as url:
            for number, (name, board) in enumerate(sorted(boards.items())):
                for theme in ("light", "dark"):
                    tab = browser.open("about:blank", width=1280, height=2200, dark=theme == "dark", still=True)
                    drawn(tab, url, name, theme, board)
                    tab.picture(folder / f"{name}-{theme}.png", height=_height(tab))
                    if (name[:2], theme) == (("en", "light"), ("fr", "dark"))[number % 2 == 1 and name[:2] == "fr"]:
                        _for_docs(tab, pictures / f"grafana-{name[3:]}.png")
                    tab.close()
                print(f"{name}: drawn, {len(board['panels'])} panels")  # noqa: T201
    finally:
        browser.close()


def _height(tab: Tab) -> float:
    return float(tab.run("document.querySelector('#caption').getBoundingClientRect().bottom + 14"))


def _for_docs(tab: Tab, path: Path) -> None:
    """As large as a page of the docs may load."""
    for scale in (0.8, 0.7, 0.6, 0.5, 0.45):
        if len(tab.picture(path, scale=scale, height=_height(tab))) <= MOST_BYTES:
            return
    raise NotDrawnError(f"{path.name} is larger than {MOST_BYTES} bytes")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("draw: FOLDER for the packages, and one for the pictures of the docs")
    os.environ.setdefault("NODE_ENV", "production")
    try:
        draw(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
    except NotDrawnError as error:
        sys.exit(f"draw: {error}")
