"""The spread of times: their median and 99th percentile."""

from collections.abc import Collection

from gateway.view.schema.status import PercentilesView


def percentiles(times_ms: Collection[float]) -> PercentilesView:
    """Median and 99th percentile of some times; None of none."""
    ordered = sorted(times_ms)
    if not ordered:
        return PercentilesView(median=None, p99=None)
    return PercentilesView(
        median=ordered[len(ordered) // 2], p99=ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    )
