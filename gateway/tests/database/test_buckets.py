"""Readings and quarter hours, through the outbox into a real database: each into its own bucket, or all into one."""

import asyncio
import socket
from contextlib import closing
from pathlib import Path

import pytest

from gateway.adapters.store.influx import Forwarder
from gateway.adapters.store.outbox import Outbox
from gateway.database.account_rows import account_rows
from gateway.database.measurements import bucket_of
from gateway.rig.part import Part
from gateway.tests.database.quarter_hours import accounts
from gateway.tests.database.test_rows import ORIGIN
from gateway.tests.database.test_schema import GOOD
from gateway.tests.report.grafana import asked

pytestmark = pytest.mark.parts


@pytest.mark.parametrize("quarters_bucket", ["zen-quarters", None])
async def test_each_row_is_in_its_bucket(influxd: Part, tmp_path: Path, quarters_bucket: str | None) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    rows = [GOOD, *(row for one in accounts(days=1) for row in account_rows(one, ORIGIN))]
    async with asked.scratch(influxd, tmp_path, port) as database:
        with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
            await outbox.save(rows, {})
            forwarder = Forwarder(
                url=database.url,
                org="zen",
                bucket="zen",
                token=database.token,
                lines=outbox,
                quarters_bucket=quarters_bucket,
            )
            task = asyncio.create_task(forwarder.run())
            async with asyncio.timeout(60):
                while outbox.waiting:  # noqa: ASYNC110 - it has no event
                    await asyncio.sleep(0.02)
            task.cancel()
            await asyncio.wait([task])
            forwarder.close()
            assert (outbox.refused, forwarder.written) == (0, len(rows))
        for source, bucket in (("zen-raw", "zen"), ("zen-quarters", "zen-quarters")):
            found = (await asked.ask(database, source, "SHOW MEASUREMENTS")).get("series", [{"values": []}])
            wanted = {row.measurement for row in rows if _bucket(row.measurement, quarters_bucket) == bucket}
            assert {name for (name,) in found[0]["values"]} == wanted


def _bucket(measurement: str, quarters_bucket: str | None) -> str:
    return (quarters_bucket or "zen") if bucket_of(measurement) == "quarters" else "zen"
