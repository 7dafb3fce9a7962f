"""docs/benchmarks.md from the results of a run, the figures of others and the notes on what was missed."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gateway.study.benches.report import tables
from gateway.study.benches.report.pictures import pictures
from gateway.study.benches.report.results import Results, ResultsError
from gateway.study.benches.report.sections import SECTIONS
from gateway.study.benches.report.tables import Published, shown, table
from gateway.study.benches.report.targets import TARGETS, Target

FOLDER = "benchmarks"  # beside the page: notes, figures of others, pictures
HEAD = """\
<!-- Written by `zen bench page` (part of `make bench`): run that, or change docs/benchmarks/*.toml. -->

# Benchmarks

`make bench` runs all of this and writes this page: every window below, one after the other, through the product's own
forecast, planner and loop, all with one configuration (printed at the end); nothing is tuned for a bench. The recorded
series are looked for in `../shared/data` (`make bench DATA=FOLDER` names another place); a bench whose series are not
there is left out, and the page says so. `make bench ARGS="--only home"` runs some and keeps the other results.

S is the share of what was possible: (cost without storage − cost) / (cost without storage − cost when the future is
known). 0: storage unused, 1: physical limit. EUR/day includes the value of what is left in the storage at the end. In
the pictures green is ours, grey ran beside it, blue are published figures of others (their sources are in the tables).
"""
STATES = {True: "yes", False: "**no**", None: "not run"}
STATUS_WORDS = {
    "done": "done",
    "no_command": "left out: this version has no command `zen bench {why}`",
    "no_data": "left out: {why} is not in the folder of data",
    "failed": "failed: {why}",
    "not_run": "not run",
}


def texts(results: Results, docs: Path) -> dict[Path, str]:
    """Page and pictures, by where they go. ResultsError when notes or figures of others cannot be read."""
    published = _toml(docs / FOLDER / "published.toml")
    notes = _toml(docs / FOLDER / "notes.toml")
    page = "\n".join(_page(results, published, notes)).rstrip() + "\n"
    drawn = pictures(results, published)
    return {docs / "benchmarks.md": page} | {docs / FOLDER / name: svg for name, svg in drawn.items()}


def _page(results: Results, published: Published, notes: Mapping[str, str]) -> Iterator[str]:
    yield HEAD
    yield from _targets(results, notes)
    bodies = (
        tables.solarhome(results, published),
        tables.home(results),
        tables.peers(results, published),
        tables.minute(results, published),
        tables.closed_loop(results),
        tables.citylearn(results, published),
        tables.speed(results, published),
    )
    for one, body in zip(SECTIONS, bodies, strict=True):
        yield f"## {one.title}\n\n{one.words}\n\n![{one.title}]({FOLDER}/{one.drawing})\n"
        yield from body
    yield from _run(results)


def _targets(results: Results, notes: Mapping[str, str]) -> Iterator[str]:
    yield "## Targets\n"
    yield from table(("target", "bound", "found", "reached"), (_target(one, results) for one in TARGETS))
    missed = [one for one in TARGETS if one.reached(results) is False]
    if missed:
        yield "Missed, and why:\n"
        yield from (f"- {one.words}: {_note(notes, one.name)}" for one in missed)
        yield ""


def _target(target: Target, results: Results) -> tuple[str, ...]:
    sign = "≥" if target.is_floor else "≤"
    found = shown(target.figure(results), target.digits)
    return target.words, f"{sign} {target.bound:g}", found, STATES[target.reached(results)]


def _note(notes: Mapping[str, str], name: str) -> str:
    return " ".join(notes.get(name, "nothing has been written about it yet.").split())


def _run(results: Results) -> Iterator[str]:
    account = results.account
    yield "## The run\n"
    versions = ", ".join(f"{name} {version}" for name, version in account["versions"].items())
    yield f"{account['date']}; {account['machine']}; {versions}.\n"
    rows = [
        (f"`{entry['command']}`", _status(entry), entry["date"], f"{entry['took_s']:.0f}" if entry["took_s"] else "")
        for entry in account["benches"].values()
    ]
    yield from table(("command", "", "on", "s"), rows)
    yield "## Configuration\n"
    yield _one_configuration(results) + "\n"
    yield f"```toml\n{account['configuration'].strip()}\n```"


def _status(entry: Mapping[str, Any]) -> str:
    return STATUS_WORDS[entry["status"]].format(why=entry["why"])


def _one_configuration(results: Results) -> str:
    """Whether every result was made with the same parameters, as the results themselves say."""
    seen: dict[str, Any] = {}
    others = set()
    for name, result in results.found.items():
        for section, values in (result.get("method") or {}).items():
            if seen.setdefault(section, values) != values:
                others.add(name)
    if others:
        return f"**Not one configuration**: {', '.join(sorted(others))} ran with other parameters than the rest."
    return "All results above were made with this file, `config/planner.toml`."


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ResultsError(path, str(error)) from error
