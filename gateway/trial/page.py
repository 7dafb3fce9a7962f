"""The page of a twin: the real views of its cycles, with the parts of a gateway that it has."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.app import labels_of
from gateway.planning.service import PlanStatus
from gateway.ports import Cycle
from gateway.trial.twin.twin import Twin
from gateway.view.collector import ViewCollector
from gateway.view.schema.cycle import DatabaseView, LinksView, OrderView
from gateway.view.schema.encoder import encode
from gateway.view.status import node_view, order_view
from gateway.view.trend import RecentTrend


class TwinParts:
    """What the parts of a twin say of themselves. Fits the protocol PageParts."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin

    def links(self) -> LinksView:
        """Broker and nodes."""
        nodes = tuple(node_view(node, session, self._twin.now_s) for node, session in self._twin.sessions.items())
        return LinksView(broker=self._twin.is_broker_up, nodes=nodes)

    def orders(self) -> Mapping[str, OrderView]:
        """By device that was ordered something."""
        return {
            device: order_view(readback)
            for session in self._twin.sessions.values()
            for device, readback in session.readbacks.items()
        }

    def database(self) -> DatabaseView:
        """A twin stores nothing."""
        return DatabaseView(configured=False, waiting=0, error=None)


class TwinPage:
    """`show` takes each cycle (port CycleObserver), `state` is what `/api/state` would say now."""

    def __init__(self, twin: Twin, plan_status: Callable[[float], PlanStatus]) -> None:
        assert twin.gateway is not None  # noqa: S101 - it has just been started
        before = Cycle(number=0, state=twin.gateway.readings(), setpoints=(), load_w=None, late_ms=0.0)
        self._view = ViewCollector(
            site=twin.gateway.site,
            labels=labels_of(twin.file),
            before=before,
            quality=lambda device, now_s: twin.sessions[twin.file.devices[device].node].quality(device, now_s),
            parts=TwinParts(twin),
            plan_status=plan_status,
            trend=RecentTrend(()),
            keep_step=lambda _t, _values: None,
        )

    def show(self, cycle: Cycle) -> None:
        """The newest cycle."""
        self._view.show(cycle)

    def state(self) -> dict[str, Any]:
        """As JSON has it."""
        found = encode(self._view.state())
        assert isinstance(found, dict)  # noqa: S101 - a view is a table
        return found
