"""The page of the site file, and the page of the house file."""

import inspect
from collections.abc import Iterator

from pydantic import BaseModel

from gateway.core.loads.settings import CommonSettings
from gateway.core.pricing.kinds import kinds
from gateway.simulator.settings import config as house_file
from gateway.simulator.settings import flexible
from gateway.site.file import declared, load_sections, price_sections, sections
from gateway.words import words
from pages.keys import key_row
from pages.tables import markdown_table


def site_file_page() -> Iterator[str]:
    yield "Unknown keys are mistakes. Secrets are never in the file; their variables are named in the sections.\n"
    models: dict[str, type[BaseModel]] = {f"[{name}]": model for name, (model, _) in sections.SECTIONS.items()}
    models["[tariff]"] = price_sections.TariffSection
    models |= {
        "[nodes.ID]": sections.NodeSection,
        "[nodes.ID.buses.NAME]": sections.SerialBus,
        "[devices.ID]": sections.DeviceSection,
        "battery of [devices.ID]": sections.BatterySection,
        "surplus of [tariff]": price_sections.SurplusSection,
        "[feeds.weather]": price_sections.WeatherSection,
        **{f"[{name}.ID]": model for name, model in sections.OPTIONAL_TABLES.items()},
    }
    models |= _keys_of_kinds()
    loads = {f'[loads.ID], kind = "{kind}"': kind for kind in load_sections.SECTIONS}
    models |= {name: load_sections.SECTIONS[kind] for name, kind in loads.items()}
    english, french = words("en"), words("fr")
    for name, model in models.items():
        yield f"## {name}\n"
        if name in loads:
            yield f"{english[f'load.{loads[name]}']} · {french[f'load.{loads[name]}']}\n"
        yield inspect.cleandoc(model.__doc__ or "") + "\n"
        if issubclass(model, load_sections.LoadSection):
            yield inspect.cleandoc(CommonSettings.__doc__ or "") + "\n"
        yield from markdown_table(
            ("key", "allowed", "default"), (key_row(*item) for item in model.model_fields.items())
        )


def _keys_of_kinds() -> dict[str, type[BaseModel]]:
    """Those of [tariff], kind by kind, and their rows."""
    own = {kind.id: kind.settings for kind in kinds().values() if declared.keys(kind.settings)}
    models: dict[str, type[BaseModel]] = {
        f"[tariff], kind {id_}": declared.section_of(settings) for id_, settings in own.items()
    }
    rows = {name: row for settings in own.values() for name, row in declared.rows_of(settings).items()}
    return models | {f"[[tariff.{name}]]": declared.section_of(row) for name, row in rows.items()}


def house_file_page() -> Iterator[str]:
    yield "What `zen house` lives in ([how](../house.md)). Everything may be left out; then the defaults hold.\n"
    models: dict[str, type[BaseModel]] = {
        "[clock]": house_file.Clock,
        "[load]": house_file.Load,
        "[pv]": house_file.Pv,
        "[battery]": house_file.BatterySettings,
        "[meter]": house_file.MeterSettings,
        "[linky]": house_file.LinkySettings,
        "[car]": flexible.CarSettings,
        "[tank]": flexible.TankSettings,
        "[heat_pump]": flexible.HeatPumpSettings,
        "[pool_pump]": flexible.PoolPumpSettings,
        "[serve.meter]": house_file.ServeMeter,
        "[serve.pv]": house_file.ServePv,
        "[serve.battery]": house_file.ServeBattery,
        "[serve.linky]": house_file.ServeLinky,
        "[serve.car]": flexible.ServeCar,
        "[serve.tank]": flexible.ServeTank,
        "[serve.heat_pump]": flexible.ServeHeatPump,
        "[serve.pool_pump]": flexible.ServePoolPump,
    }
    for name, model in models.items():
        yield f"## {name}\n"
        yield inspect.cleandoc(model.__doc__ or "") + "\n"
        rows = (key_row(*item) for item in model.model_fields.items())
        yield from markdown_table(("key", "allowed", "default"), rows)
