"""What the board has to carry: half an hour of the whole node, many times faster than real, with a board's heap.

The heap of the fast clock (life.STAND_INS), which a board has not, is measured apart and taken off.
"""

import pytest
from bench import figure
from life import HEAPS, Life, figures

pytestmark = pytest.mark.hil

MINUTES = 30
RUN_MODE_BYTES = 20_000  # of .mpy that a running node has loaded, wire package and the board's own hal included
HEAP_BYTES = 60000  # live, of the 112 kB that an ESP32 without extra memory has
GROWTH_BYTES = 256  # between minutes 5 and 30: the odd dictionary key, and no more


@pytest.mark.parametrize("heap", HEAPS)
async def test_half_an_hour_in_the_heap_of_a_board_without_growth(heap, micropython, mosquitto, tmp_path, capsys):
    async with Life(micropython, mosquitto, tmp_path, heap) as life:
        found = figures(await life.minutes(MINUTES))
        lost = life.gateway.health[-1]["ring"]["lost"]
        loaded = await life.loaded()
    bytes_ = life.bytes_of(loaded)
    figure(capsys, f"heap of {heap}: {found}, {bytes_} bytes of .mpy loaded, {lost} records lost")
    assert found["heap_live_peak_bytes"] <= HEAP_BYTES
    assert found["heap_growth_bytes"] <= GROWTH_BYTES
    assert bytes_ <= RUN_MODE_BYTES
    assert lost == 0
    assert "Traceback" not in life.node.said()
