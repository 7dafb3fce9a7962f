"""Lives of a store on a small disk of its own, each in a process that may mount it: no root is needed where users may
have namespaces.

`python -m gateway.tests.adapters.own_disk LIFE FOLDER` prints what was seen, as JSON.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.adapters.archive.archive import Archive
from gateway.adapters.archive.reader import ArchiveReader
from gateway.adapters.store import store
from gateway.adapters.store.files import Cause, files_aside
from gateway.adapters.store.history import HistoryStore
from gateway.adapters.store.outbox import Outbox
from gateway.paths import PACKAGE
from gateway.ports import Row
from gateway.tests.adapters.archive.made_up import realistic

NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")


def live(life: str, folder: Path, *, size: str = "1m") -> dict[str, Any]:
    """What a life has printed. Skips where a user may not mount a disk."""
    if subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine gives users no namespaces, in which they may mount a small disk")
    program = f'mount -t tmpfs -o size={size} none "$1" && exec "$2" -m {__spec__.name} {life} "$1"'
    command = [*NAMESPACE, "sh", "-c", program, "sh", str(folder), sys.executable]
    done = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def row(i: int) -> Row:
    return Row(measurement="m", tags={}, fields={"v": float(i), "text": "x" * 200}, time_ms=i)


def fill(folder: Path) -> None:
    """Not a byte is left on the disk."""
    with suppress(OSError), (folder / "filler").open("ab", buffering=0) as file:
        while True:
            file.write(bytes(512))


def seen(outbox: Outbox) -> dict[str, object]:
    return {"cause": outbox.trouble and outbox.trouble.cause, "waiting": outbox.waiting, "dropped": outbox.dropped}


async def begun(folder: Path) -> None:
    """A store that has a past, left in good order."""
    with closing(Outbox(folder / "a.sqlite", max_mb=10)) as outbox:
        outbox.instance()
        outbox.next_session(1000)
        await outbox.save([row(i) for i in range(10)], {})
        await HistoryStore(outbox).save_note("lasting", "what control remembers")


async def full_at_the_start(folder: Path) -> dict[str, object]:
    fill(folder)
    with closing(Outbox(folder / "a.sqlite", max_mb=10)) as outbox:
        on_disk = await outbox.save([row(i) for i in range(10)], {})
        await HistoryStore(outbox).save_note("lasting", "new")
        full = seen(outbox)
        (folder / "filler").unlink()
        again = await outbox.save([row(10)], {})
    with closing(Outbox(folder / "a.sqlite", max_mb=10)) as outbox:
        return {
            "on_disk": [on_disk, again],
            "full": full,
            "then": seen(outbox),
            "note": HistoryStore(outbox).note("lasting"),
        }


async def full_with_a_past(folder: Path) -> dict[str, object]:
    await begun(folder)
    fill(folder)
    with closing(Outbox(folder / "a.sqlite", max_mb=10)) as outbox:
        session = outbox.next_session(0)
        note = HistoryStore(outbox).note("lasting")
        on_disk = await outbox.save([row(i) for i in range(10, 20)], {})
        full = seen(outbox)
        (folder / "filler").unlink()
        again = await outbox.save([row(20)], {})
        lines = [text for _, text in await outbox.oldest(100)]
        in_order = lines == sorted(lines, key=lambda text: int(text.split()[-1]))
        return {"session": session, "note": note, "on_disk": [on_disk, again], "full": full, "then": seen(outbox),
                "lines": len(lines), "in_order": in_order}  # fmt: skip


async def full_while_it_runs(folder: Path) -> dict[str, object]:
    await begun(folder)
    with closing(Outbox(folder / "a.sqlite", max_mb=10)) as outbox:
        count, before = 10, []
        fill(folder)
        while outbox.trouble is None and count < 10_000:
            before = await outbox.oldest(5)
            await outbox.save([row(count + i) for i in range(50)], {})
            count += 50
        full = seen(outbox)
        new = await outbox.oldest(5)
        await outbox.forget([number for number, _ in before])  # they went to the database; its answer came late
        after_late_answer = seen(outbox)
        await outbox.forget([number for number, _ in new])
        (folder / "filler").unlink()
        await outbox.save([], {})
        left = await outbox.oldest(10_000)
        return {"saved": count, "full": full, "late": after_late_answer, "then": seen(outbox), "left": len(left),
                "gone": sorted(text for _, text in new if text in {text for _, text in left})}  # fmt: skip


async def read_only(folder: Path) -> dict[str, object]:
    await begun(folder)
    remount(folder, "ro")
    with closing(Outbox(folder / "a.sqlite", max_mb=10)) as outbox:
        session = outbox.next_session(0)
        on_disk = await outbox.save([row(10)], {})
        while_read_only = seen(outbox)
        remount(folder, "rw")
        again = await outbox.save([row(11)], {})
        return {"session": session, "on_disk": [on_disk, again], "read_only": while_read_only, "then": seen(outbox)}


async def read_only_and_damaged(folder: Path) -> dict[str, object]:
    (folder / "a.sqlite").write_bytes(b"spoiled" * 1000)
    remount(folder, "ro")
    with closing(Outbox(folder / "a.sqlite", max_mb=10)) as outbox:
        on_disk = await outbox.save([row(10)], {})
        remount(folder, "rw")
        for i in range(3):
            await outbox.save([row(11 + i)], {})
        return {"on_disk": on_disk, "then": seen(outbox), "aside": len(files_aside(folder / "a.sqlite", Cause.DAMAGED))}


async def archive_on_a_full_disk(folder: Path) -> dict[str, object]:
    path, start_s = folder / "h.sqlite", 1_784_066_400
    with closing(Archive(path, zone=ZoneInfo("Europe/Paris"))) as archive:
        count = 0
        while archive.trouble is None and count < 10_000:  # a quarter of 20 devices takes some 500 bytes
            before = count
            archive.save_accounts(list(realistic(start_s + 900 * count, 96)))
            count += 96
            if not await archive.flush():
                break
            if count > 500:
                fill(folder)
        readable = len(ArchiveReader(path).quarters(0, 4e9))
        while_full = {"trouble": archive.trouble and archive.trouble.cause, "readable": readable}
        (folder / "filler").unlink(missing_ok=True)
        await archive.flush()
        trouble = archive.trouble
    reader = ArchiveReader(path)
    quarters, days = len(reader.quarters(0, 4e9)), len(reader.days(0, 4e9))
    then = {"trouble": trouble and trouble.cause, "quarters": quarters, "days": days}
    return {"before": before, "given": count, "days": count // 96, "while_full": while_full, "then": then}


async def archive_on_a_read_only_card(folder: Path) -> dict[str, object]:
    path, start_s = folder / "h.sqlite", 1_784_066_400
    with closing(Archive(path, zone=ZoneInfo("Europe/Paris"))) as archive:
        archive.save_accounts(list(realistic(start_s, 10)))
        await archive.flush()
    remount(folder, "ro")
    with closing(Archive(path, zone=ZoneInfo("Europe/Paris"))) as archive:
        archive.save_accounts(list(realistic(start_s + 9000, 10)))
        await archive.flush()
        readable = len(ArchiveReader(path).quarters(0, 4e9))
        while_read_only = {"trouble": archive.trouble and archive.trouble.cause, "readable": readable}
        remount(folder, "rw")
        await archive.flush()
        trouble = archive.trouble
    then = {"trouble": trouble and trouble.cause, "quarters": len(ArchiveReader(path).quarters(0, 4e9))}
    return {"while_read_only": while_read_only, "then": then}


def remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


LIVES: dict[str, Callable[[Path], Any]] = {
    life.__name__: life
    for life in (
        full_at_the_start,
        full_with_a_past,
        full_while_it_runs,
        read_only,
        read_only_and_damaged,
        archive_on_a_full_disk,
        archive_on_a_read_only_card,
    )
}

if __name__ == "__main__":
    store.AGAIN_S = store.LOOK_S = 0.0
    print(json.dumps(asyncio.run(LIVES[sys.argv[1]](Path(sys.argv[2])))))  # noqa: T201
