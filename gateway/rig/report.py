"""The figures of a run of the chain: measured in the simulator, in the gateway and between them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.rig.chain import EMBEDDED, Chain
from gateway.rig.exchange import exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The start of what is reported: the simulator's counters at that moment."""

    energy_wh: Mapping[str, float]
    since_s: float

    @classmethod
    async def open(cls, chain: Chain) -> "Window":
        """From now on."""
        state = await chain.house_request({"do": "state"})
        return cls(energy_wh=state["energy_wh"], since_s=time.monotonic())


async def get_json(address: str) -> dict[str, Any]:
    """The JSON object at an address; OSError or ValueError when there is none."""
    found: dict[str, Any] = (await exchange(address)).json()
    return found


async def report(chain: Chain, window: Window) -> dict[str, Any]:
    """Energies (Wh) and shares of the window, counts since the start, latencies (ms), memory (MB), parts."""
    house = await chain.house_request({"do": "state"})
    status = await get_json(f"{chain.page_address}/api/status")
    energy = {name: round(wh - window.energy_wh[name], 3) for name, wh in house["energy_wh"].items()}
    seconds = time.monotonic() - window.since_s
    return {
        "seconds": round(seconds, 1),
        "energy_wh": energy,
        "self_consumption": _share(energy["export"], energy["pv"]),
        "self_sufficiency": _share(energy["import"], energy["load"]),
        "grid_abs_mean_w": round((energy["import"] + energy["export"]) * 3600 / seconds, 1),
        "samples": _samples(status),
        "orders": {name: status["orders"][name] for name in ("sent", "applied", "refused")},
        "latency_ms": {name: _rounded(value) for name, value in status["latency_ms"].items()},
        "cycle_late_ms_p99": _rounded(status["cycle_late_ms"]["p99"]),
        "gateway_rss_mb": status["rss_peak_mb"],
        "parts": _used(chain),
    }


def _samples(status: Mapping[str, Any]) -> dict[str, int]:
    names = ("sent", "received", "lost", "duplicated")
    return {name: sum(node[name] for node in status["nodes"].values()) for name in names}


def _used(chain: Chain) -> dict[str, Any]:
    broker, database = chain.parts.get("mosquitto"), chain.parts.get("influxd")
    return {
        "broker": f"mosquitto {broker.version}" if broker else EMBEDDED,
        "micropython": chain.parts["micropython"].version,
        "micropython_bits": chain.parts["micropython"].bits,
        "database": f"influxd {database.version}" if database else None,
    }


def _share(outside_wh: float, whole_wh: float) -> float | None:
    """What stayed inside, as a fraction 0…1; None where there was nothing to share."""
    return round(max(0.0, 1.0 - outside_wh / whole_wh), 4) if whole_wh > 0 else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
