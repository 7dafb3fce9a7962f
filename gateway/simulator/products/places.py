"""Where the points of each device stand in its registers: name -> (first address, registers)."""

import struct
from collections.abc import Mapping

from gateway.simulator.fault import Device
from gateway.simulator.products import (
    acthor,
    keba,
    lambda_eu_l,
    sdm630,
    sma_storage,
    sma_tripower,
    stiebel_isg,
    sunspec,
)
from gateway.simulator.settings.config import Serve

Places = Mapping[str, tuple[int, int]]


def places_of(device: Device, serve: Serve) -> Places:
    """Of the product that speaks for a device; none for one that has no registers."""
    stiebel = serve.heat_pump is not None and serve.heat_pump.profile == "stiebel_isg_wpm"
    found: dict[Device, Places] = {
        "meter": {name: (address, 2) for name, address in sdm630.ADDRESSES.items()},
        "pv": _of_sunspec() if serve.pv.profile == "sunspec" else _sized(sma_tripower.POINTS),
        "battery": _sized(sma_storage.POINTS),
        "car": {name: (address, keba.READ_SIZE) for name, address in keba.ADDRESSES.items()},
        "tank": _sized(acthor.POINTS),
        "heat_pump": _sized(stiebel_isg.POINTS if stiebel else lambda_eu_l.POINTS),
    }
    return found.get(device, {})


def _of_sunspec() -> Places:
    first = sunspec.BASE + len(sunspec.MARKER) + len(sunspec.common_model())
    return {name: (first + offset, len(nan)) for name, (offset, nan) in sunspec.NAN_POINTS.items()}


def _sized(points: Mapping[str, tuple[int, str]]) -> Places:
    return {name: (address, struct.calcsize(">" + form) // 2) for name, (address, form) in points.items()}
