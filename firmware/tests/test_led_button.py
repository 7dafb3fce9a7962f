"""The LED says how the node is; the button opens the setup access point."""

import json

import pytest
import tables
from node_rig import until

ONE = [{"bus": 0, "id": 1, "wfc": 16}]


@pytest.mark.hil
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6])
def test_as_many_flashes_as_said_then_a_pause(board, count):
    said = board(f"from node.led_button import lit\nprint([int(lit(ms, {count})) for ms in range(0, 5000, 50)])")
    rows = json.loads(said)
    rises = [i for i, (a, b) in enumerate(zip([0, *rows], rows, strict=False)) if b > a]
    assert len(rises) == count
    assert sum(rows) == 2 * count  # each 100 ms long
    assert not any(rows[-40:])  # two seconds of pause at least


@pytest.mark.hil
def test_the_lamp_says_what_is_wrong(board):
    said = board(
        "from node.led_button import flashes\n"
        "class Is:\n    def __init__(self, **how):\n        for name in how: setattr(self, name, how[name])\n"
        "def app(mode, up, heard, silent):\n"
        "    return Is(mode=mode, link=Is(up=lambda: up, heard=lambda: heard), plant=Is(silent=lambda: silent))\n"
        "for row in (('run', 1, 1, ()), ('run', 0, 0, 'x'), ('run', 1, 0, 'x'), ('run', 1, 1, 'x'), ('safe', 1, 1, ())):\n"
        "    print(flashes(app(*row), False))\n"
        "print(flashes(app('run', 1, 1, ()), True), flashes(app('run', 1, 1, 'x'), True))"
    )
    assert said.split() == ["1", "2", "3", "4", "5", "6", "4"]


@pytest.mark.hil
async def test_holding_the_button_for_five_seconds_opens_the_setup(node, gateway, inverter):
    """On a computer the button is a file: pressed while it is there. Time runs 20 times faster."""
    inverter.put(0, 7)
    node.speed = 20
    poll = tables.table([tables.tcp(inverter.port, timeout_ms=2000)], ONE, [tables.block(0, 0, 1, ms=1000)])
    node.start(poll, led=4, button=7)
    await gateway.record(0)
    led = node.directory / "4"
    await until(lambda: led.exists() and led.read_text() == "1", "the first flash")
    assert node.process.poll() is None
    (node.directory / "7").write_text("")
    await until(lambda: node.process.poll() is not None, "the restart")
    assert json.loads((node.directory / "nvs.json").read_text())["mode"] == 2
    await until(lambda: gateway.states[-1] == {"up": False}, "the goodbye")
