"""What the board has to carry: half an hour of the whole node, many times faster than real, with a board's heap.

The heap of what a board has not (life.STAND_INS: the fast clock, who looks at the heap) is measured apart and taken off.
"""

import pytest
from heap import LOOK, growth, least_by_minute
from life import HEAPS, Life
from node_rig import figure

pytestmark = pytest.mark.hil

MINUTES = 30
RUN_MODE_BYTES = 20_000  # of .mpy that a running node has loaded, wire package and the board's own hal included
HEAP_BYTES = (
    60000  # live at the highest (heap.py says of which looks), of the 112 kB that an ESP32 without extra memory has
)
GROWTH_BYTES = 256  # between minutes 5 and 30: the odd dictionary key, and no more


@pytest.mark.parametrize("heap", HEAPS)
async def test_half_an_hour_in_the_heap_of_a_board_without_growth(heap, micropython, mosquitto, tmp_path, capsys):
    async with Life(micropython, mosquitto, tmp_path, heap) as life:
        found = await life.minutes(MINUTES)
        lost = life.gateway.health[-1]["ring"]["lost"]
        loaded = await life.loaded()
    bytes_ = life.bytes_of(loaded)
    figure(capsys, f"heap of {heap}: {found}, {bytes_} bytes of .mpy loaded, {lost} records lost")
    assert found["heap_live_peak_bytes"] <= HEAP_BYTES
    assert found["heap_growth_bytes"] <= GROWTH_BYTES
    assert bytes_ <= RUN_MODE_BYTES
    assert lost == 0
    assert "Traceback" not in life.node.said()


LEAK = """
kept = []
async def leak(bytes_, seconds):
    while True:
        await asyncio.sleep_ms(1000 * seconds)
        kept.append(bytearray(bytes_))
async def life():
    await asyncio.sleep_ms(60000 * {minutes})
{leak}
asyncio.run(life())
"""


@pytest.mark.parametrize(("bytes_", "seconds"), [(16, 60), (300, 900)], ids=["drops", "a lump"])
def test_a_leak_is_seen_and_nothing_else(bytes_, seconds, runner, micropython):
    """16 bytes a minute, as a forgotten key would be, or one packet of 300 bytes in a quarter of an hour."""

    def grown(leak: str) -> int:
        said = runner(micropython)(LOOK + LEAK.format(minutes=MINUTES, leak=leak), speed=600)
        return growth(least_by_minute(said))

    assert grown("") == 0
    assert grown(f"asyncio.create_task(leak({bytes_}, {seconds}))") > GROWTH_BYTES
