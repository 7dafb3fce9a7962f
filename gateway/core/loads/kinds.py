"""All kinds of flexible loads. A new one is a module beside this one and a line here; its words are `load.<kind>`."""

from collections.abc import Mapping

from gateway.core.loads.appliance import ApplianceSettings
from gateway.core.loads.car import CarSettings
from gateway.core.loads.heat_pump import HeatPumpSettings
from gateway.core.loads.kind import LoadSettings
from gateway.core.loads.pool_pump import PoolPumpSettings
from gateway.core.loads.switchable import SwitchableSettings
from gateway.core.loads.tank import TankSettings

_ALL: tuple[type[LoadSettings], ...] = (
    CarSettings,
    TankSettings,
    HeatPumpSettings,
    ApplianceSettings,
    SwitchableSettings,
    PoolPumpSettings,
)

KINDS: Mapping[str, type[LoadSettings]] = {settings.kind: settings for settings in _ALL}
"""Settings of each kind by its name in the site file, in the order in which they are shown."""
