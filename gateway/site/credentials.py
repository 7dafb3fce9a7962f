"""What must not stand in a file: passwords, keys and tokens, from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.mistakes import Mistake
from gateway.site.file.keys import key_mistake
from gateway.site.file.site_file import SiteFile, SiteFileError


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The secrets of one site: what its site file must not hold."""

    broker_password: str | None  # None for a broker that asks for none
    node_keys: Mapping[str, bytes]  # by node: they seal orders and poll tables
    influx_token: str | None  # None where no database is configured

    @classmethod
    def read(cls, file: SiteFile, environment: Mapping[str, str]) -> "Credentials":
        """Secrets of a site. Raises SiteFileError naming every variable that is missing or malformed."""
        keys = {node: environment.get(_key_name(node), "") for node in file.nodes}
        mistakes = [mistake for node, key in keys.items() if (mistake := key_mistake(_key_name(node), key)) is not None]
        token = environment.get("ZEN_INFLUX_TOKEN")
        if file.database is not None and not (token and token.isascii() and token.isprintable()):
            found = "signs that no token has" if token else "nothing"
            mistakes.append(Mistake(path="ZEN_INFLUX_TOKEN", found=found, allowed="a token of the database"))
        if mistakes:
            raise SiteFileError(file.path, mistakes)
        return cls(
            broker_password=environment.get("ZEN_BROKER_PASSWORD"),
            node_keys={node: bytes.fromhex(key) for node, key in keys.items()},
            influx_token=token,
        )


def _key_name(node: str) -> str:
    return f"ZEN_KEY_{node.upper().replace('-', '_')}"
