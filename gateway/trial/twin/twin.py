"""A building and its gateway in virtual time, stepped by whoever holds it: no socket, no file, no wait.

twin = Twin.of(house, site)      # tables as in the two files
twin.advance(60.0)
twin.begin(BatteryTakesOnly(charge_w=300.0))
twin.cycle().setpoints, twin.house.state.grid_w
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gateway import paths
from gateway.adapters.node.session import NodeSession
from gateway.mistakes import MistakesError, validated
from gateway.ports import Cycle, CycleObserver
from gateway.simulator.fault import Fault
from gateway.simulator.settings.config import HouseConfig
from gateway.simulator.simulation import STEP_S, Simulation
from gateway.site.assembly.poll_tables import poll_tables
from gateway.site.file import site_file
from gateway.site.file.site_file import SiteFile
from gateway.trial.twin.clock import VirtualClock
from gateway.trial.twin.gateway_side import KeepRows, VirtualGateway, forgotten
from gateway.trial.twin.node import Send, VirtualNode
from gateway.trial.twin.orders import Order
from gateway.trial.twin.planner import InlinePlanner
from gateway.trial.twin.wires import wires_of
from gateway.wire import topics

PATH_S = 0.03  # of a message through a broker on the same network
BOOT_S = 3.0  # from power to the first exchange of a node
WILL_S = 15.0  # until a broker says a client's will that fell silent: one and a half keep-alives of 10 s
WATCHDOG_S = 8.0  # of a board (`firmware/node/hal_esp32.py`)
RECONNECT_S = 2.0  # from a broker that is back to both sides on it: most of a back-off
START_S = 2.0  # from the start of a gateway to its first message
NO_CHANGES: Mapping[str, Any] = {}
DOWN = b'{"up": false}'

Act = Callable[[], object]


class Twin:
    """`house` is the truth, `gateway` what is believed and ordered; `now_s` counts from the start."""

    def __init__(
        self,
        house: HouseConfig,
        file: SiteFile,
        *,
        step_s: float = STEP_S,
        observers: Sequence[CycleObserver] = (),
        plan: bool = False,
        keep: KeepRows = forgotten,
    ) -> None:
        """A coarser `step_s` is faster; delays are then no finer than that. `keep` is given all rows for a database."""
        self.house = Simulation(house)
        self.file = file
        self.step_s = step_s
        self.clock = VirtualClock(now_s=self.house.state.elapsed_s, true_utc_s=self.house.state.utc_s)
        self.planner = InlinePlanner(file, self.clock) if plan else None
        self._observers = list(observers)
        self._keep = keep
        self._tables = poll_tables(file)
        wires = wires_of(self.house, house, file.devices)
        self.nodes = {node: VirtualNode(table, wires, self._sender(node)) for node, table in self._tables.items()}
        self._up: deque[tuple[float, str, str, bytes]] = deque()  # moment, node, leaf, payload
        self._down: deque[tuple[float, str, int, Order]] = deque()
        self._due: list[tuple[float, Act]] = []  # what happens by itself later
        self.is_broker_up = True
        self.is_frozen = False
        self._is_linked = False  # the gateway has its connection to the broker
        self.gateway: VirtualGateway | None = None
        self._former: VirtualGateway | None = None
        for node in self.nodes.values():
            node.start(self.now_s, self.clock.utc_s())
        self.start_gateway()
        self._connect()

    @classmethod
    def of(cls, house: Mapping[str, Any] = NO_CHANGES, site: Mapping[str, Any] = NO_CHANGES, **options: Any) -> "Twin":
        """Of the tables of a house file and a site file. Raises MistakesError."""
        config, mistakes = validated(HouseConfig, house)
        if config is None:
            raise MistakesError(None, mistakes)
        place = paths.config_folder() / "demo" / "site.toml"
        return cls(config, site_file.checked(site, place), **options)

    @property
    def now_s(self) -> float:
        """Seconds since the start."""
        return self.clock.now_s

    def step(self) -> bool:
        """One step of the physics and all that comes of it; whether the gateway has run a cycle."""
        state = self.house.advance(self.step_s)
        clock = self.clock
        clock.now_s, clock.true_utc_s = state.elapsed_s, state.utc_s
        if self._due and self._due[0][0] <= clock.now_s:
            self._happen()
        while self._down and self._down[0][0] <= clock.now_s:
            _, node, number, order = self._down.popleft()
            self.nodes[node].receive(number, order)
        utc_s = clock.utc_s()
        for each in self.nodes.values():
            each.step(clock.now_s, utc_s)
        gateway = self.gateway
        if gateway is None or self.is_frozen:
            return False
        while self._is_linked and self._up and self._up[0][0] <= clock.now_s:
            _, name, leaf, payload = self._up.popleft()
            gateway.deliver(name, leaf, payload)
        return gateway.step()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        end_s = self.now_s + seconds - self.step_s / 2
        while self.now_s < end_s:
            self.step()

    def cycle(self, *, patience_s: float = 2.0) -> Cycle | None:
        """Let time pass until the gateway has run its next cycle; None when none came so soon."""
        end_s = self.now_s + patience_s
        while self.now_s < end_s:
            if self.step():
                return self.gateway.cycle if self.gateway else None
        return None

    def begin(self, fault: Fault) -> None:
        """Let something go wrong in the house; ValueError for what it does not have."""
        self.house.begin(fault)

    def watch(self, observer: CycleObserver) -> None:
        """Show it each cycle from now on."""
        self._observers.append(observer)

    def show(self, cycle: Cycle) -> None:
        """To all that watch (port CycleObserver)."""
        for observer in self._observers:
            observer.show(cycle)

    def clear(self) -> None:
        """End all faults of the house, and switch off what was switched on."""
        self.house.faults.clear()
        self.house.building.clear_steps()

    def power_node(self, node: str, *, on: bool) -> None:
        """A node loses its power, or has it back."""
        self.nodes[node].stop()
        self._cut(node)
        if on:
            self._later(BOOT_S, lambda: self._boot(node))

    def hang_node(self, node: str) -> None:
        """A node hangs with its connection open, until its watchdog bites."""
        self.nodes[node].stop()
        self._later(WATCHDOG_S, lambda: self._say_lost(node))  # the connection ends with the restart
        self._later(WATCHDOG_S + BOOT_S, lambda: self._boot(node))

    def stop_broker(self) -> None:
        """Nothing is carried any more; what was not acknowledged is sent again later, but for orders."""
        self.is_broker_up = self._is_linked = False
        self._down.clear()
        for node in self.nodes.values():
            node.is_linked = False

    def start_broker(self) -> None:
        """It is back; nodes and gateway find it a little later."""
        self.is_broker_up = True
        self._later(RECONNECT_S, self._connect)

    def cut_node(self, node: str, *, off: bool) -> None:
        """A node loses its network (the broker notices and says so), or has it back."""
        if off:
            self._cut(node)
        elif self.is_broker_up:
            self._later(RECONNECT_S, self.nodes[node].connect)

    def kill_gateway(self) -> None:
        """It is gone without a word; its will is not."""
        self._former = self._end_gateway()
        self._gone()

    def stop_gateway(self) -> None:
        """It gives everything back and goes."""
        if self.gateway is not None:
            self.gateway.release()
        self._former = self._end_gateway()
        self._later(PATH_S, self._gone)

    def start_gateway(self) -> None:
        """A new run of it, with what its store has kept."""
        self.gateway = VirtualGateway(
            self.file,
            self._tables,
            clock=self.clock,
            send=self._send_order,
            former=self._former,
            observers=(self,),
            planner=self.planner,
            keep=self._keep,
        )
        self.is_frozen = False
        for node in self.nodes.values():
            node.is_heard = True
            node.announce()

    def start_gateway_soon(self) -> None:
        """It is started now, and runs when it is ready."""
        self._later(START_S, self.start_gateway)

    def freeze_gateway(self, *, frozen: bool) -> None:
        """Nothing of it runs, or it goes on with what has come meanwhile."""
        self.is_frozen = frozen

    def step_clock(self, by_s: float) -> None:
        """The gateway's clock is set."""
        self.clock.error_s += by_s

    def close(self) -> None:
        """End it."""
        self._end_gateway()
        if self.planner is not None:
            self.planner.close()

    @property
    def sessions(self) -> Mapping[str, NodeSession]:
        """What the gateway knows of each node; of the last one while none runs."""
        found = self.gateway or self._former
        return found.sessions if found else {}

    def _end_gateway(self) -> VirtualGateway | None:
        ended, self.gateway = self.gateway, None
        if ended is not None:
            ended.close()
        for node in self.nodes.values():
            node.is_heard = False
        return ended or self._former

    def _gone(self) -> None:
        if self.is_broker_up:
            for node in self.nodes.values():
                node.gateway_gone()

    def _connect(self) -> None:
        if not self.is_broker_up:
            return
        self._is_linked = True
        for node in self.nodes.values():
            if node.is_running:
                node.connect()

    def _boot(self, node: str) -> None:
        self.nodes[node].start(self.now_s, self.clock.utc_s())
        if self.is_broker_up:
            self.nodes[node].connect()

    def _cut(self, node: str) -> None:
        """Nothing of the node is heard any more, and after a while the broker knows it, too."""
        self.nodes[node].is_linked = False
        self._later(WILL_S, lambda: None if self.nodes[node].is_linked else self._say_lost(node))

    def _say_lost(self, node: str) -> None:
        """The node's will, from the broker."""
        self.nodes[node].is_linked = False
        if self.is_broker_up:
            self._up.append((self.now_s + PATH_S, node, topics.STATE, DOWN))

    def _sender(self, node: str) -> Send:
        def send(leaf: str, payload: bytes) -> None:
            if self.is_broker_up:
                self._up.append((self.now_s + PATH_S, node, leaf, payload))

        return send

    def _send_order(self, node: str, number: int, order: Order) -> None:
        if self.is_broker_up:
            self._down.append((self.now_s + PATH_S, node, number, order))

    def _later(self, seconds: float, act: Act) -> None:
        self._due.append((self.now_s + seconds, act))
        self._due.sort(key=lambda item: item[0])

    def _happen(self) -> None:
        while self._due and self._due[0][0] <= self.now_s:
            _, act = self._due.pop(0)
            act()
