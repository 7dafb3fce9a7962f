"""What the database refuses, and what becomes of it: one that answers by rules of ours."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.adapters.store.delivery import Delivery, RefusesAllError
from gateway.adapters.store.line_protocol import fields, measurement, with_fields
from gateway.adapters.store.outbox import Outbox, line
from gateway.ports import Row
from gateway.tests.adapters.stores import in_file

T = 1_700_000_000_000


def row(name: str, i: int, **values: float | str | bool) -> Row:
    return Row(measurement=name, tags={"device": "grid", "site": "s"}, fields=values, time_ms=T + i)


def test_a_line_is_taken_apart_as_the_database_reads_it() -> None:
    odd = line(Row(measurement="a, b", tags={"k=": "v, 1"}, fields={"x y": 'a,b=" \\', "n": 1, "b": True}, time_ms=5))
    assert measurement(odd) == "a\\,\\ b"
    assert fields(odd) == ("b", "n", "x\\ y")
    assert with_fields(odd, ["n"]) == "a\\,\\ b,k\\==v\\,\\ 1 n=1.0 5"
    assert with_fields(odd, ["x\\ y", "b"]) == 'a\\,\\ b,k\\==v\\,\\ 1 b=true,x\\ y="a,b=\\" \\\\" 5'
    assert with_fields(odd, fields(odd)) == odd
    assert with_fields(odd, ["z"]) is None
    assert (fields("no line"), fields(""), with_fields("", ["a"])) == ((), (), None)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), min_size=1, max_size=8)


@given(TEXTS, st.dictionaries(TEXTS, st.one_of(st.floats(-1e9, 1e9), TEXTS, st.booleans()), min_size=1, max_size=4))
def test_a_line_put_together_again_is_the_same(name: str, values) -> None:
    text = line(Row(measurement=name, tags={"t": name}, fields=values, time_ms=1))
    assert len(fields(text)) == len(values)
    assert with_fields(text, fields(text)) == text


class Rules:
    """A database that has some fields with another type, does not understand some lines, and may refuse all."""

    def __init__(self, *, clashes: set[tuple[str, str]] = frozenset(), bad: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        self.clashes, self.bad = clashes, bad
        self.refuses_all = self.says_dropped = False
        self.values: set[tuple[str, str, str]] = set()  # measurement, field, moment
        self.asked = 0

    async def write(self, texts: Sequence[str]) -> str | None:
        assert texts
        self.asked += 1
        if self.refuses_all:
            return "bad gateway"
        if any(self.is_bad(text) for text in texts):  # nothing of the batch is taken
            return "unable to parse"
        refused = [text for text in texts if any((measurement(text), name) in self.clashes for name in fields(text))]
        for text in texts:
            if text not in refused:
                self.values |= {(measurement(text), name, text.split()[-1]) for name in fields(text)}
        return f"field type conflict dropped={len(refused)}" if refused else None

    def is_bad(self, text: str) -> bool:
        return text.rsplit(maxsplit=1)[-1] in self.bad


async def delivered(outbox: Outbox, rules: Rules, *, batch: int = 2000) -> Delivery:
    delivery = Delivery(write=rules.write, lines=outbox)
    while lines := await outbox.oldest(batch):
        await delivery.deliver(lines)
    return delivery


def quarantined(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT line, why FROM quarantine ORDER BY rowid").fetchall()


NAMES = ("meter", "pv", "battery")
FIELDS = ("p_w", "u_v", "e_wh")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    clashes=st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(FIELDS)), max_size=4),
    bad=st.sets(st.integers(0, 59), max_size=10),
    shapes=st.lists(
        st.tuples(st.sampled_from(NAMES), st.sets(st.sampled_from(FIELDS), min_size=1)), min_size=1, max_size=60
    ),
    batch=st.integers(3, 80),
)
def test_all_that_is_good_is_in_the_database_and_all_that_is_not_is_kept_with_its_reason(
    tmp_path: Path, clashes, bad, shapes, batch: int
) -> None:
    path = tmp_path / "a.sqlite"
    for one in tmp_path.glob("a.sqlite*"):
        one.unlink()
    rules = Rules(clashes=clashes, bad={str(T + i) for i in bad})
    rows = [row(name, i, **dict.fromkeys(sorted(names), 1.0)) for i, (name, names) in enumerate(shapes)]
    well = row("health", 10**6, ok=1.0)
    wanted = {
        (one.measurement, name, str(one.time_ms))
        for one in rows
        for name in one.fields
        if (one.measurement, name) not in clashes and str(one.time_ms) not in rules.bad
    }

    async def life() -> None:
        with closing(Outbox(path, max_mb=10)) as outbox:
            await outbox.save([*rows, well], {})
            await delivered(outbox, rules, batch=batch)
            assert rules.values - {("health", "ok", str(T + 10**6))} == wanted
            assert (outbox.waiting, outbox.refused) == in_file(path) == (0, len(quarantined(path)))
            kept = {
                (measurement(text), name, text.split()[-1]) for text, _ in quarantined(path) for name in fields(text)
            }
            everything = {(one.measurement, name, str(one.time_ms)) for one in rows for name in one.fields}
            assert kept == everything - wanted

    asyncio.run(life())


async def test_a_field_of_another_type_costs_its_values_only_and_few_questions(tmp_path: Path) -> None:
    rules = Rules(clashes={("meter", "p_w")})
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
        await outbox.save([row("meter", i, p_w=1.0, u_v=2.0) for i in range(200)], {})
        await outbox.save([row("pv", i, p_w=1.0) for i in range(200)], {})
        delivery = await delivered(outbox, rules)
        assert rules.asked < 12
        assert len(rules.values) == 400
        assert (outbox.waiting, outbox.refused, outbox.dropped) == (0, 200, 0)
        asked = rules.asked
        await outbox.save([row("meter", 1000 + i, p_w=1.0, u_v=2.0) for i in range(200)], {})
        await delivery.deliver(await outbox.oldest(2000))
        assert rules.asked == asked + 1  # what is known is not asked again
        assert (outbox.waiting, outbox.refused) == (0, 400)
    text, why = quarantined(tmp_path / "a.sqlite")[0]
    assert (fields(text), why) == (("p_w",), "field type conflict dropped=1")


async def test_a_bad_line_among_those_with_a_refused_field_is_found(tmp_path: Path) -> None:
    rules = Rules(clashes={("meter", "p_w")}, bad={str(T + 7)})
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
        await outbox.save([row("meter", i, p_w=1.0, u_v=2.0) for i in range(20)], {})
        await delivered(outbox, rules)
        assert len(rules.values) == 19
        assert (outbox.waiting, outbox.refused) == (0, 20)
    assert [why for text, why in quarantined(tmp_path / "a.sqlite") if "u_v" in text] == ["unable to parse"]


async def test_what_comes_back_from_quarantine_is_offered_again_and_ends_the_clash(tmp_path: Path) -> None:
    rules = Rules(clashes={("meter", "p_w")})
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
        await outbox.save([row("meter", i, p_w=1.0, u_v=2.0) for i in range(20)], {})
        delivery = await delivered(outbox, rules)
        bits = [Row(measurement="meter", tags={}, fields={"p_w": 1.0}, time_ms=T + i) for i in range(20)]
        await outbox.save([*bits, row("pv", 1, p_w=1.0)], {})
        await delivery.deliver(await outbox.oldest(100))
        assert (outbox.waiting, outbox.refused) == (0, 40)
        rules.clashes = set()  # somebody mended the database
        await outbox.save(bits, {})
        while lines := await outbox.oldest(100):
            await delivery.deliver(lines)
        assert (outbox.waiting, outbox.refused) == (0, 40)
        await outbox.save([row("meter", 99, p_w=1.0, u_v=2.0)], {})
        await delivery.deliver(await outbox.oldest(100))
        assert ("meter", "p_w", str(T + 99)) in rules.values


async def test_a_database_that_refuses_all_is_no_judge(tmp_path: Path) -> None:
    rules = Rules()
    rules.refuses_all = True
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
        await outbox.save([row(name, i, p_w=1.0, u_v=2.0) for name in NAMES for i in range(500)], {})
        delivery = Delivery(write=rules.write, lines=outbox)
        for _ in range(3):
            asked = rules.asked
            with pytest.raises(RefusesAllError, match="bad gateway"):
                await delivery.deliver(await outbox.oldest(2000))
            assert rules.asked - asked < 20
            assert (outbox.waiting, outbox.refused, outbox.dropped) == (1500, 0, 0)
        rules.refuses_all = False
        await delivery.deliver(await outbox.oldest(2000))
        assert (outbox.waiting, outbox.refused, len(rules.values)) == (0, 0, 3000)


async def test_a_batch_of_bad_lines_at_the_head_does_not_look_like_a_database_that_refuses_all(tmp_path: Path) -> None:
    rules = Rules(bad={str(T + i) for i in range(40)})
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
        await outbox.save([row("meter", i, p_w=1.0) for i in range(50)], {})
        delivery = Delivery(write=rules.write, lines=outbox)
        await delivery.deliver(await outbox.oldest(20))
        assert (outbox.waiting, outbox.refused) == (30, 20)


async def test_what_is_refused_is_bounded_and_what_goes_is_counted(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("gateway.adapters.store.outbox.REFUSED_KEPT", 50)
    rules = Rules(clashes={("meter", "p_w")})
    with closing(Outbox(tmp_path / "a.sqlite", max_mb=10)) as outbox:
        for i in range(4):
            await outbox.save([row("meter", 40 * i + k, p_w=1.0, u_v=2.0) for k in range(40)], {})
            await delivered(outbox, rules)
        assert (outbox.waiting, outbox.refused, outbox.dropped) == (0, 50, 110)
    assert quarantined(tmp_path / "a.sqlite")[-1][0].endswith(f" {T + 159}")
