"""The house file: TOML into the models of `config`, every mistake with its path."""

from os.path import normpath  # resolve() would follow the link that the simulator itself has made
from pathlib import Path

from gateway.mistakes import Mistake, read_toml, validated
from gateway.simulator.settings.config import HouseConfig
from gateway.simulator.settings.mistakes import HouseFileError


def load_house(path: Path) -> HouseConfig:
    """The simulated building of a file; paths in it count from its folder. Raises HouseFileError with all mistakes."""
    content = read_toml(path, example="config/demo/house.toml")
    if isinstance(content, Mistake):
        raise HouseFileError(path, [content])
    config, mistakes = validated(HouseConfig, content)
    if config is None:
        raise HouseFileError(path, mistakes)
    return _resolve(config, path.parent)


def _resolve(config: HouseConfig, folder: Path) -> HouseConfig:
    """The same settings with paths that no longer depend on where the program was started."""
    base = folder.absolute()
    meter = config.serve.meter.model_copy(update={"serial": Path(normpath(base / config.serve.meter.serial))})
    linky = config.serve.linky
    if linky is not None:
        linky = linky.model_copy(update={"serial": Path(normpath(base / linky.serial))})
    return config.model_copy(
        update={
            "load": config.load.model_copy(update={"file": config.load.file and base / config.load.file}),
            "pv": config.pv.model_copy(update={"file": config.pv.file and base / config.pv.file}),
            "serve": config.serve.model_copy(update={"meter": meter, "linky": linky}),
        }
    )
