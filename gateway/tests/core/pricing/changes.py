"""When a tariff turns: what tests compare with the hours of a contract."""

from gateway.core.pricing.tariff import Tariff


def changes(tariff: Tariff, start_s: float, end_s: float) -> tuple[float, ...]:
    """The moments between two others (UTC) at which the rate becomes another."""
    found, before = [], tariff.rate(start_s)
    for edge_s in sorted({edge for edge in tariff.edges(start_s, end_s) if start_s < edge < end_s}):
        rate = tariff.rate(edge_s)
        if rate != before:
            found.append(edge_s)
        before = rate
    return tuple(found)
