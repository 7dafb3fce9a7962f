"""All parts that are not ours, in the order in which people think of them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from gateway.rig import chromium, influxd, micropython, mosquitto
from gateway.rig.part import Machine, Missing, Part, Say, variable

Find = Callable[[Machine], Part | Missing]
Fetch = Callable[[Machine, Say], Part | Missing]

FINDERS: Mapping[str, Find] = MappingProxyType(
    {
        mosquitto.NAME: mosquitto.find,
        micropython.NAME: micropython.find,
        influxd.NAME: influxd.find,
        chromium.NAME: chromium.find,
    }
)
FETCHERS: Mapping[str, Fetch] = MappingProxyType(
    {mosquitto.NAME: mosquitto.fetch, micropython.NAME: micropython.fetch, influxd.NAME: influxd.fetch}
)


def find(name: str, machine: Machine) -> Part | Missing:
    """One part as it is on this machine now. KeyError for a name that is no part."""
    return FINDERS[name](machine)


def find_all(machine: Machine) -> list[Part | Missing]:
    """Every part as it is on this machine now."""
    return [finder(machine) for finder in FINDERS.values()]


def find_or_fetch(name: str, machine: Machine, say: Say) -> Part | Missing:
    """What is there, else what can be fetched without root. KeyError for a part that is never fetched.

    A 64-bit interpreter is left for a 32-bit one where that can be had. What `ZEN_<NAME>` says is final.
    """
    found = find(name, machine)
    if machine.environment.get(variable(name)):
        return found
    if isinstance(found, Part) and not (name == micropython.NAME and micropython.has_better(found, machine)):
        return found
    return FETCHERS[name](machine, say)
