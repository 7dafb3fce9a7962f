"""What a device was asked for, and what it holds as read back from it: from a node's answers and its health."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

from gateway.adapters.node.orders import OrderAnswer
from gateway.adapters.products.points import TYPES
from gateway.adapters.products.profiles import Profile
from gateway.adapters.products.setpoints import PLAIN, Rating, power_of

MOST_NUMBERS = 64  # in one answer; no table has more
MOST_LETTERS = 200  # of one text: a node may send anything
REGISTER_PAIR = range(-(2**31), 2**32)  # what two registers can hold, with a sign or without


@dataclass(frozen=True, slots=True, kw_only=True)
class Readback:
    """Powers in W, drawn positive; None is "nothing", or "not known" for `held_w`.

    `by`: how the device came by what it holds (applied: by an order; safe, expired, released: by the safe values).
    `why`: what went wrong last, in a word of `gateway.wire.orders`; empty when nothing did.
    """

    asked_w: float | None = None
    applied_w: float | None = None
    held_w: float | None = None
    by: str = ""
    why: str = ""

    def fields(self) -> dict[str, float | str]:
        """As columns of the database; what is None is left out."""
        powers = {"asked_w": self.asked_w, "applied_w": self.applied_w, "held_w": self.held_w}
        return {f"order_{name}": float(value) for name, value in powers.items() if value is not None} | {
            "order_by": self.by,
            "order_why": self.why,
        }


def from_health(profile: Profile, entry: object, rating: Rating = PLAIN) -> Readback | None:
    """Of an entry of `actuators` in a node's health; None for what is none."""
    if not isinstance(entry, list) or len(entry) != 5:
        return None
    asked, applied, back, by, why = entry
    return Readback(
        asked_w=ordered_w(profile, asked, rating),
        applied_w=ordered_w(profile, applied, rating),
        held_w=None if asked is None else readback_w(profile, back, rating),
        by=str(by)[:MOST_LETTERS],
        why=str(why or "")[:MOST_LETTERS],
    )


def after_answer(before: Readback, answer: OrderAnswer, profile: Profile, rating: Rating = PLAIN) -> Readback:
    """What is known of a device after the answer to an order; one that was refused has changed nothing in it."""
    if answer.done == "refused":
        return replace(before, why=answer.why)
    asked_w = ordered_w(profile, answer.values, rating)
    return Readback(
        asked_w=asked_w,
        applied_w=asked_w if answer.done == "applied" else None,
        held_w=None if asked_w is None else readback_w(profile, answer.back, rating),
        by=before.by if answer.done == "failed" else answer.done,
        why=answer.why,
    )


def ordered_w(profile: Profile, values: object, rating: Rating = PLAIN) -> float | None:
    """The power in the values of an order; None when it has none."""
    first = values[0] if isinstance(values, list) and values else None
    return power_of(profile, first, rating) if _is_whole(first) and first in REGISTER_PAIR else None


def readback_w(profile: Profile, numbers: object, rating: Rating = PLAIN) -> float | None:
    """The power in what was read back after an order; None where the product cannot be read or was not."""
    setpoint = profile.setpoint
    if setpoint is None or not isinstance(numbers, list) or len(numbers) <= len(setpoint.arm):
        return None
    number = numbers[len(setpoint.arm)]
    bits = 16 * TYPES[setpoint.point.type]
    if not _is_whole(number) or not 0 <= number < 2**bits:
        return None
    if bits == 32 and profile.word_order == "little":
        number = number >> 16 | (number & 0xFFFF) << 16
    if setpoint.point.type.startswith("int") and number >> (bits - 1):
        number -= 1 << bits
    return power_of(profile, number, rating)


def numbers_of(value: object) -> Sequence[int | None] | None:
    """What was read back, of a message that may hold anything."""
    if not isinstance(value, list) or len(value) > MOST_NUMBERS:
        return None
    return value if all(each is None or _is_whole(each) for each in value) else None


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
