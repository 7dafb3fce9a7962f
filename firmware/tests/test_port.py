"""The fakes of the ESP32's modules themselves: they forget, refuse and lose what the port does."""

import json
import os
import subprocess
import tty

import pytest
from node_rig import HERE

pytestmark = pytest.mark.hil


@pytest.fixture
def chip(micropython, tmp_path):
    """Runs code on the fakes; one run is one time under power. Gives the status and what was printed."""

    def run(code: str, **wired) -> tuple[int, list[str]]:
        (tmp_path / "port.json").write_text(json.dumps(wired))
        done = subprocess.run(
            [micropython, "-c", "import esp32, machine, chip, time\n" + code],
            env={"MICROPYPATH": f".frozen:{HERE / 'port'}"}, cwd=tmp_path, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        assert not done.stderr, done.stderr
        return done.returncode, done.stdout.splitlines()

    return run


REFUSE = """
def refused(call, *what):
    try:
        call(*what)
    except OSError as error:
        print(error.errno)
"""


def test_nvs_keeps_what_was_committed_and_only_that(chip):
    assert chip(
        "nvs = esp32.NVS('zen')\nnvs.set_i32('a', 1)\nnvs.commit()\nnvs.set_i32('a', 2)\nprint(nvs.get_i32('a'))\n"
    )[1] == ["2"]
    assert chip("print(esp32.NVS('zen').get_i32('a'))\n")[1] == ["1"]


def test_nvs_refuses_with_the_numbers_of_the_idf(chip):
    code = """
nvs = esp32.NVS("zen")
refused(nvs.get_i32, "missing")
refused(nvs.erase_key, "missing")
nvs.set_blob("text", b"abc")
refused(nvs.get_i32, "text")
refused(nvs.get_blob, "text", bytearray(2))
refused(nvs.set_i32, "sixteen characte", 1)
refused(nvs.set_blob, "big", bytes(20000))
"""
    assert chip(REFUSE + code)[1] == ["-4354", "-4354", "-4354", "-4364", "-4361", "-4357"]


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_cut_leaves_the_old_or_the_new_value_in_the_nvs(cut, chip):
    code = "nvs = esp32.NVS('zen')\nfor value in (1, 2, 3):\n    nvs.set_i32('a', value)\n    nvs.commit()\n"
    assert chip(code, cut=cut)[0] == 137
    missing = "nvs = esp32.NVS('zen')\ntry: print(nvs.get_i32('a'))\nexcept OSError: print(0)\n"
    assert chip(missing)[1] == [str(cut - 1)]


PUT = """
after = esp32.Partition(esp32.Partition.RUNNING).get_next_update()
image = esp32.image(b"interpreter" * 900)
image += b"\\xff" * (-len(image) % 4096)
"""
RUNNING = "print(esp32.Partition(esp32.Partition.RUNNING).info()[4])\n"


def test_an_image_is_started_once_and_kept_only_when_it_is_marked_valid(chip):
    assert chip(PUT + "after.writeblocks(0, image)\nafter.set_boot()\n" + RUNNING)[1] == ["ota_0"]
    assert chip(RUNNING)[1] == ["ota_1"]
    assert chip(RUNNING)[1] == ["ota_0"]  # it did not say that it is well
    chip(PUT + "after.set_boot()\n")
    assert chip(RUNNING + "esp32.Partition.mark_app_valid_cancel_rollback()\n")[1] == ["ota_1"]
    assert chip(RUNNING)[1] == ["ota_1"]


@pytest.mark.parametrize(
    "spoil",
    ["image = bytes(4096)", "image = image[:100] + b'!' + image[101:]", "image = image[:4096]",
     "image = esp32.image(b'x', 'esp32') + b'\\xff' * 4000"],
    ids=["no image", "one byte", "cut short", "another chip"],
)  # fmt: skip
def test_a_spoiled_image_is_not_started(spoil, chip):
    code = (
        PUT
        + spoil
        + "\nimage += b'\\xff' * (-len(image) % 4096)\nafter.writeblocks(0, image)\nrefused(after.set_boot)\n"
    )
    assert chip(REFUSE + code)[1] == ["-5379"]
    assert chip(RUNNING)[1] == ["ota_0"]


def test_flash_forgets_only_by_whole_blocks(chip):
    code = """
part = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="vfs")[0]
part.writeblocks(0, b"\\xf0" * 4096)
part.writeblocks(0, b"\\x3c", 7)
byte = bytearray(1)
part.readblocks(0, byte, 7)
print(byte[0], part.ioctl(5, 0), part.ioctl(4, 0))
part.ioctl(6, 0)
part.readblocks(0, byte, 7)
print(byte[0])
refused(part.writeblocks, 0, b"half")
"""
    assert chip(REFUSE + code)[1] == ["48 4096 16", "255", "-260"]  # 0xf0 & 0x3c


@pytest.fixture
def wire():
    ends = os.openpty()
    for end in ends:
        tty.setraw(end)
    yield ends[0], os.ttyname(ends[1])
    for end in ends:
        os.close(end)


UART = "uart = machine.UART(1, 115200, tx=17, rx=18, rxbuf=512)\n"


def test_a_uart_drops_what_its_buffer_cannot_hold(chip, wire):
    far, near = wire
    os.write(far, bytes(1000))
    code = UART + "print(uart.any(), chip.diary[-1])\n"
    assert chip(code, uart={"1": {"tty": near}})[1] == ["640 ('uart', 1, 'overflow', 360)"]  # 512, and the FIFO's 128


def test_a_uart_reports_when_bytes_have_come(chip, wire):
    far, near = wire
    os.write(far, b"abc")
    code = UART + "uart.irq(lambda one: print('idle', one is uart), uart.IRQ_RXIDLE)\nuart.any()\ntime.sleep_ms(1)\n"
    assert chip(code, uart={"1": {"tty": near}})[1] == ["idle True"]


def test_a_driver_let_go_too_early_cuts_the_frame(chip, wire):
    far, near = wire
    code = """
driver = machine.Pin(21, machine.Pin.OUT, value=1)
uart = machine.UART(1, 1200, tx=17, rx=18)
begin = time.ticks_us()
uart.write(bytes(range(100)))
time.sleep_ms(42)
driver(0)
print(time.ticks_diff(time.ticks_us(), begin))
"""
    status, said = chip(code, uart={"1": {"tty": near, "de": 21}})
    sent = os.read(far, 200)
    assert (status, sent) == (0, bytes(range(len(sent))))
    assert abs(len(sent) - int(said[0]) / 8333) <= 1  # µs a character; on a busy machine the sleep is longer


@pytest.mark.parametrize(("held_ms", "heard"), [(0, b"answer"), (40, None)])
def test_a_driver_held_too_long_drowns_out_the_answer(chip, wire, held_ms, heard):
    """At 1200 Bd a device answers 3.5 characters of 8.3 ms after the frame, and not before."""
    far, near = wire
    os.write(far, b"answer")
    code = f"""
driver = machine.Pin(21, machine.Pin.OUT, value=1)
uart = machine.UART(1, 1200, tx=17, rx=18)
uart.write(b"question")
uart.flush()
time.sleep_ms({held_ms})
driver(0)
print(uart.read(6))
"""
    assert chip(code, uart={"1": {"tty": near, "de": 21}})[1] == [repr(heard)]


def test_the_console_is_not_for_devices_and_inputs_do_not_drive(chip):
    code = """
for kind, *what in ((machine.UART, 0), (machine.Pin, 34, machine.Pin.OUT), (machine.Pin, 40)):
    try:
        kind(*what)
    except ValueError as error:
        print(error)
"""
    assert chip(code, chip="esp32")[1] == [
        "UART(0) is disabled (dedicated to REPL)", "pin can only be input", "invalid pin",
    ]  # fmt: skip
