"""A gateway's store and forwarder, to be killed at any moment: `python -m gateway.tests.adapters.killed STORE URL`.

It counts up from what its store says was saved, a line of each class for each number, as a node that sends again what
was not heard. Without `count` in its arguments it only brings what waits into the database, and prints the last number.
"""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from gateway.adapters.node.ledger import BootSnapshot, LedgerSnapshot
from gateway.adapters.store.influx import Forwarder
from gateway.adapters.store.outbox import Outbox
from gateway.ports import Row

T = 1_784_066_400_000
NAMES = ("meter", "account", "event")
TOKEN = "chosen-by-us"  # noqa: S105 - of a scratch database
EACH_S = 0.005


def rows(number: int) -> list[Row]:
    return [
        Row(measurement=name, tags={"site": "s"}, fields={"n": float(number)}, time_ms=T + 1000 * number)
        for name in NAMES
    ]


def last(outbox: Outbox) -> int:
    """The last number that is stored; 0 before the first."""
    ledger = outbox.ledger("node")
    return ledger.boots[-1].upto if ledger else 0


async def count(outbox: Outbox) -> None:
    number = last(outbox)
    while True:
        number += 1
        boots = [BootSnapshot(boot=1, upto=number, beyond=[])]
        await outbox.save(rows(number), {"node": LedgerSnapshot(boots=boots, received=number, duplicated=0, lost=0)})
        await asyncio.sleep(EACH_S)


async def live(store: Path, url: str, *, counts: bool) -> None:
    outbox = Outbox(store, max_mb=10)
    forwarder = Forwarder(url=url, org="zen", bucket="zen", token=TOKEN, lines=outbox)
    task = asyncio.create_task(forwarder.run())
    if counts:
        await count(outbox)
    while outbox.waiting:  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0.02)
    print(last(outbox), outbox.dropped, outbox.refused)  # noqa: T201
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    outbox.close()


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), sys.argv[2], counts="count" in sys.argv[3:]))
