"""Planners of others that are asked beside ours."""

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A planner in an environment of its own; `script` is run by its Python and must not import us."""

    name: str
    version: str
    packages: tuple[str, ...]
    script: Path
    size: str
    """On disk, in words."""
    licence: str


EMHASS = Peer(
    name="emhass",
    version="0.18.7",
    packages=("emhass==0.18.7",),
    script=HERE / "emhass_planner.py",
    size="1.1 GB",
    licence="MIT",
)
SOLPH = Peer(
    name="oemof.solph",
    version="0.6.5",
    packages=("oemof.solph==0.6.5", "highspy>=1.11,<2"),
    script=HERE / "solph_planner.py",
    size="280 MB",
    licence="MIT",
)


class PeerError(Exception):
    """A peer that cannot be asked. `code`: no_install, no_start, no_plan; `why` in the words of its tools."""

    def __init__(self, code: str, peer: Peer, why: str) -> None:
        self.code, self.peer, self.why = code, peer, why
        super().__init__(f"{peer.name} {peer.version}: {code}: {why}")
