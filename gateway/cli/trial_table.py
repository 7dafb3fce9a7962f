"""The verdicts of a run, as people read them."""

from rich.table import Table
from rich.text import Text

from gateway.cli.language import language, say
from gateway.trial.outcome import Trial
from gateway.trial.scenario.expectation import Expectation, Value, Verdict
from gateway.words.figures import figure


def verdict_table(result: Trial) -> Table:
    """A row for each expectation."""
    table = Table()
    for heading in ("quantity", "expected", "when", "result", "worst"):
        table.add_column(say(f"trial.{heading}"), overflow="fold")
    kinds = [type(one.what).__name__ for one in result.scenario.happenings]
    for verdict in result.verdicts:
        wanted = verdict.expectation
        cells = (wanted.quantity, expected(wanted), when(wanted, kinds), became(verdict), worst(verdict))
        table.add_row(*map(Text, cells), style=None if verdict.held else "red")
    return table


def expected(wanted: Expectation) -> str:
    """What the quantity should be."""
    name, tongue = wanted.quantity, language()
    low, high = (None if value is None else figure(tongue, name, value) for value in (wanted.low, wanted.high))
    if low is not None and high is not None:
        return say("trial.between", low=low, high=high)
    if low is not None:
        return say("trial.at_least", low=low)
    if high is not None:
        return say("trial.at_most", high=high)
    if wanted.near is not None:
        return say("trial.near", word=wanted.near, by=figure(tongue, name, wanted.by))
    how = "is" if wanted.is_ is not None else "is_not" if wanted.is_not is not None else "has"
    return say(f"trial.{how}", word=wanted.is_ or wanted.is_not or wanted.has)


def when(wanted: Expectation, kinds: list[str]) -> str:
    """From when to when it should be so; `kinds` are those of the faults, in their order."""
    if wanted.after is not None:
        key = "trial.after" if wanted.to_s is None else "trial.after_until"
        text = say(key, fault=wanted.after, kind=kinds[wanted.after - 1], end_s=wanted.to_s)
    else:
        begins, ends = wanted.from_s > 0.0, wanted.to_s is not None
        keys = {(False, False): "always", (True, False): "from", (False, True): "until", (True, True): "from_until"}
        text = say(f"trial.{keys[begins, ends]}", begin_s=wanted.from_s, end_s=wanted.to_s)
    if wanted.within_s is not None:
        text = say("trial.within", when=text, within_s=wanted.within_s)
    if wanted.share < 1.0:
        text = say("trial.share", when=text, share_pct=100.0 * wanted.share)
    return text


def became(verdict: Verdict) -> str:
    """Whether it held; how long that took, or how much of the time it did."""
    result = say("trial.held" if verdict.held else "trial.missed")
    if not verdict.held and verdict.share > 0.0:
        return say("trial.share_held", result=result, share_pct=100.0 * verdict.share)
    if verdict.held and verdict.settled_s:
        return say("trial.settled", result=result, settled_s=verdict.settled_s)
    return result


def worst(verdict: Verdict) -> str:
    """The moment and the value farthest from what was expected."""
    if verdict.held or verdict.worst_t is None:
        return ""
    value = _shown(verdict.expectation.quantity, verdict.worst)
    return say("trial.worst_at", value=value, at_s=verdict.worst_t)


def _shown(name: str, value: Value) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or figure(language(), name, None)
    return figure(language(), name, value)
