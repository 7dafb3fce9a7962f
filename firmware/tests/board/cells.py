"""On the board's interpreter: an actuator is brought into each of its states and given each event, by the node's calls.

Prints a line for each cell that can be reached: state before, event, state after. Its device answers at once.
"""

import json

import node.wait
from node import poll_table
from node.orders import Orders
from wire import table


def wait_ms(bell, _ms):
    """No time passes; while a turn of an actuator's job runs, the wait at its end hands back."""
    bell.rung = False
    if bell.in_turn:
        yield


node.wait.Bell.wait_ms = wait_ms
node.wait.Bell.in_turn = False

TABLE = {
    "v": 1, "node": "rig", "blocks": [],
    "buses": [{"kind": "tcp", "host": "x", "timeout_ms": 100}], "units": [{"bus": 0, "id": 1, "wfc": 16}],
    "actuators": [{
        "u": 0, "set": [[100, "H", 0, 5000]], "safe": [[102, [803]]], "refresh_ms": 0, "ttl_ms": 15000,
    }],
}  # fmt: skip
A, B = [7], [8]  # values of orders


class Device:
    """Holds what is written, unless it is deaf; `meanwhile` happens while it is read, which is when a write is over."""

    def __init__(self):
        self.bus = self
        self.words = {}
        self.deaf = False
        self.meanwhile = None

    async def write(self, _unit, writes):
        for address, words in writes:
            self.words[address] = [0] if self.deaf else words
        return 0

    async def read(self, _unit, _function, address, _count):
        if self.meanwhile:
            self.meanwhile, happens = None, self.meanwhile
            happens()
        return 0, self.words[address][0].to_bytes(2, "big")


class Clock:
    s = ms = quality = 0

    def tick(self):
        pass


class Memory:
    def get(self, _key):
        return 0


class Case:
    """An actuator and what can happen to it; each method is a call that the node makes, too."""

    def __init__(self):
        self.seq = 0
        self.job = None
        self.device = Device()
        orders = Orders(bytes(32), 1, Clock(), Memory(), lambda _ack: None)
        self.actuator = poll_table.actuator(0, table.parse(json.dumps(TABLE))["actuators"][0], self.device, orders)

    def order(self, values=A):
        self.seq += 1
        return self.actuator.take(1, self.seq, values, 10000)

    def end(self):
        self.actuator.leave("safe")

    def turn(self):
        """One turn of the actuator's job."""
        self.job = self.job or self.actuator.run(int)
        node.wait.Bell.in_turn = True
        self.job.send(None)
        node.wait.Bell.in_turn = False

    def send(self, deaf=False, meanwhile=None):
        """The order that is held goes to the device."""
        self.device.deaf, self.device.meanwhile = deaf, meanwhile
        through(self.actuator._write())

    def go_safe(self, deaf=False, meanwhile=None):
        self.device.deaf, self.device.meanwhile = deaf, meanwhile
        through(self.actuator.go_safe())


def through(coroutine):
    """Runs to its end what never waits."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits")


def free(case):
    case.go_safe()


def leaving(case):
    pass  # as it begins


def leaving_reported(case):
    """The device still has the order that has ended."""
    held(case)
    case.end()


def unsafe(case):
    case.go_safe(deaf=True)


def followed(case):
    case.order()


def followed_reported(case):
    leaving_reported(case)
    case.order(B)


def waiting(case):
    case.go_safe()
    case.order()


def sending(case):
    waiting(case)
    case.turn()


def held(case):
    sending(case)
    case.send()


def changing(case):
    held(case)
    case.order(B)


WAYS = {
    "FREE": (free,), "LEAVING": (leaving, leaving_reported), "UNSAFE": (unsafe,), "FOLLOWED": (followed, followed_reported),
    "WAITING": (waiting,), "CHANGING": (changing,), "SENDING": (sending,), "HELD": (held,),
}  # fmt: skip


def cells(number):
    """(state, event, a case that has had it) of all that can be reached; `number` gives the number of a state."""
    for state, ways in WAYS.items():
        for way in ways:
            for event in ("ORDER", "SAME", "END", "TURN", "TAKEN", "LOST", "SAFE", "REFUSED"):
                case = Case()
                way(case)
                assert case.actuator.state == number(state), (state, case.actuator.state)
                case = after(case, state, event)
                if case:
                    yield state, event, case.actuator.state


def after(case, state, event):  # noqa: C901  one branch for each event
    """The case after an event; None when the node makes no such call in this state."""
    due = state in ("LEAVING", "UNSAFE", "FOLLOWED")
    if event == "ORDER":
        refused = case.order([9])
        assert (refused == "device") == (state == "UNSAFE"), refused
    elif event == "SAME":
        if case.actuator.applied is None:
            return None
        case.order(case.actuator.applied)
    elif event == "END":
        case.end()
    elif event == "TURN":
        if state not in ("WAITING", "CHANGING"):
            return None  # no order waits, or safe values go first
        case.turn()
    elif event in ("TAKEN", "LOST"):
        if state in ("CHANGING", "SENDING", "HELD"):
            case.send(deaf=event == "LOST")
        elif state in ("LEAVING", "FOLLOWED"):  # the lease ended while the order was written
            case = Case()
            sending(case)
            case.send(event == "LOST", lambda: (case.end(), state == "FOLLOWED" and case.order(B)))
        else:
            return None
    elif due:
        case.go_safe(deaf=event == "REFUSED")
    else:
        return None
    return case


def run(names):
    for row in cells(names.index):
        print(*row)
