"""How many times were spread."""

from collections.abc import Collection

from gateway.view.schema.status import SpreadView


def spread(times_ms: Collection[float]) -> SpreadView:
    """Median and 99th percentile of some times; None of none."""
    ordered = sorted(times_ms)
    if not ordered:
        return SpreadView(median=None, p99=None)
    return SpreadView(median=ordered[len(ordered) // 2], p99=ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))])
