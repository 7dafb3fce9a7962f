"""`python -m gateway.report.grafana [--check]`: writes config/grafana/ anew, or only tells what is not current."""

import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.paths import config_folder


def main(arguments: Sequence[str], *, folder: Path | None = None) -> int:
    """Write or compare the files; files there that are none of ours any more are taken away, or told."""
    try:
        from gateway.report.grafana.files import files  # noqa: PLC0415 - needs what only developers have
    except ModuleNotFoundError as error:
        print(f"dashboards: {error.name} is missing: pip install 'zen-e-ville[grafana]'", file=sys.stderr)  # noqa: T201
        return 1
    place = folder or config_folder() / "grafana"
    wanted = files()
    there = {path.relative_to(place).as_posix(): path for path in place.rglob("*") if path.is_file()}
    old = [name for name, text in wanted.items() if name not in there or there[name].read_text("utf-8") != text]
    gone = sorted(set(there) - set(wanted))
    if "--check" not in arguments:
        for name in old:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(wanted[name], encoding="utf-8")
        for name in gone:
            there[name].unlink()
    if old or gone:
        verb = "out of date" if "--check" in arguments else "wrote"
        print(f"dashboards: {verb}: {', '.join([*old, *gone])}")  # noqa: T201
    return 1 if (old or gone) and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
