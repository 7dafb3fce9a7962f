"""The hardware layer against the stubs of the ESP32's modules: a call that the port does not know is found here."""

import importlib.metadata
import shutil
import subprocess
import sys

import pytest
from bench import FIRMWARE

ROOT = (path for name in ("memory.py", "slot.py") for path in FIRMWARE.glob(name))
HARDWARE = [path for path in sorted(FIRMWARE.glob("node/hal_*.py")) if "unix" not in path.name] + [*ROOT]
STUBS = ("micropython-esp32-stubs", "micropython-stdlib-stubs")
SETTINGS = """
[mypy]
mypy_path = {firmware}:{stubs}
custom_typeshed_dir = {stubs}
no_site_packages = True
explicit_package_bases = True
check_untyped_defs = True
follow_imports = silent
disable_error_code = var-annotated
"""  # asyncio's stubs do not know what a coroutine gives
KNOWN = (  # that are right, and why
    'Argument 1 to "Partition" has incompatible type "int"',  # BOOT and RUNNING are numbers in the stubs themselves
    'Unsupported operand types for * ("None" and "int")',  # ioctl(4, 0) gives the number of blocks
    'Incompatible import of "NVS"',  # a computer has another one
)


@pytest.fixture(scope="module")
def complaints(tmp_path_factory):
    """What mypy says about files of ours; the stubs have mistakes of their own, which are not ours."""
    work = tmp_path_factory.mktemp("types")
    stubs = work / "stubs"
    for name in STUBS:
        for file in importlib.metadata.files(name):
            if file.suffix == ".pyi" or file.name == "VERSIONS":
                (stubs / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file.locate(), stubs / file)
    (stubs / "stubs").mkdir(exist_ok=True)  # where a typeshed has those of other packages
    (work / "mypy.ini").write_text(SETTINGS.format(firmware=FIRMWARE, stubs=stubs))

    def ask(*files) -> list[str]:
        command = [
            sys.executable,
            "-m",
            "mypy",
            "--config-file",
            work / "mypy.ini",
            "--cache-dir",
            work / "cache",
            *files,
        ]
        done = subprocess.run(command, cwd=FIRMWARE, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        errors = [line for line in done.stdout.splitlines() if ": error:" in line and str(stubs) not in line]
        return [line for line in errors if not any(known in line for known in KNOWN)]

    return ask


def test_every_call_of_the_hardware_layer_is_one_that_the_port_knows(complaints):
    assert [path.name for path in HARDWARE][:2] == ["hal_esp32.py", "hal_esp32_setup.py"]
    assert complaints(*HARDWARE) == []


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
    ],
)
def test_a_wrong_call_is_found(wrong, complaints, tmp_path):
    file = tmp_path / "wrong.py"
    file.write_text(f"import esp32, machine, network\n{wrong}\n")
    assert complaints(file)
