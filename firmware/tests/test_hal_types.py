"""What the type check of the node finds: a call of the hardware that the port does not know, and a wrong one of ours."""

import pytest
from node_rig import FIRMWARE
from types_of_the_node import complaints, gather, sources

HARDWARE = [path for path in sorted(FIRMWARE.glob("node/hal_*.py")) if "unix" not in path.name]


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """What mypy says about files."""
    work = tmp_path_factory.mktemp("types")
    stubs = gather(work / "stubs")
    return lambda *files: complaints(stubs, work / "cache", list(files))


def test_every_call_of_the_hardware_layer_is_one_that_the_port_knows(ask):
    assert [path.name for path in HARDWARE][:2] == ["hal_esp32.py", "hal_esp32_setup.py"]
    assert ask(*HARDWARE, FIRMWARE / "memory.py", FIRMWARE / "slot.py") == []


def test_everything_that_runs_on_a_node_is_checked():
    names = {path.relative_to(FIRMWARE.parent).as_posix() for path in sources()}
    assert {"firmware/main.py", "firmware/node/orders.py", "gateway/wire/table.py"} <= names


@pytest.mark.parametrize(
    "wrong",
    [
        "machine.UART(1, baud=9600)",
        "machine.UART(1, 9600).irq(None, machine.UART.IRQ_RXDONE)",
        "machine.WDT(timeout='8 s')",
        "machine.Pin(4, machine.Pin.OUTPUT)",
        "network.WLAN(network.WLAN.IF_STATION)",
        "esp32.NVS('zen').get('slot')",
        "esp32.Partition.mark_app_valid()",
        "def opener(place: str): return place",
        "from node.orders import Orders\nOrders(b'', '7', None, None, print)",
        "from node.bus import Block\nBlock().due_ms",
    ],
)
def test_a_wrong_call_is_found(wrong, ask, tmp_path):
    file = tmp_path / "wrong.py"
    file.write_text(f"import esp32, machine, network\n{wrong}\n")
    assert ask(file)
