"""A broker in pure Python, for the demo on a machine where no mosquitto can be had.

`python -m gateway.rig.embedded_broker --port …`. It keeps sessions and retained messages in memory only, so it is no
part of a real site.
"""

import asyncio
import logging
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from amqtt.broker import Broker
from amqtt.contexts import Action, BaseContext
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session

from gateway.rig.accounts import is_password, parse_access

ABSENT_SESSION_KEPT_S = 3600  # messages for a client that is away are kept in memory: not for ever


class Accounts(BaseAuthPlugin, BaseTopicPlugin):  # type: ignore[misc]  # amqtt comes without types
    """Passwords and rights from mosquitto's two files."""

    @dataclass
    class Config:
        """Paths of the files."""

        passwords: str
        access: str

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)
        self._passwords = Path(self.config.passwords).read_text(encoding="utf-8")
        self._access = parse_access(Path(self.config.access).read_text(encoding="utf-8"))

    async def authenticate(self, *, session: Session) -> bool:
        """Only with the right password: nobody is anonymous."""
        return is_password(self._passwords, session.username or "", session.password or "")

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool:
        """Asked for each publication, each subscription and each delivery."""
        user = session.username if session else None
        if not user or not topic:
            return False
        may = self._access.may_write if action == Action.PUBLISH else self._access.may_read
        return may(user, topic)


def main(
    port: Annotated[int, typer.Option(help="On 127.0.0.1.")],
    passwords: Annotated[Path, typer.Option(help="mosquitto's password file.")],
    access: Annotated[Path, typer.Option(help="mosquitto's ACL file.")],
) -> None:
    """Serve until SIGTERM."""
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(_serve(port=port, passwords=passwords, access=access))


async def _serve(*, port: int, passwords: Path, access: Path) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    broker = Broker(_configuration(port=port, passwords=passwords, access=access))
    await broker.start()
    try:
        await ended.wait()
    finally:
        await broker.shutdown()


def _configuration(*, port: int, passwords: Path, access: Path) -> dict[str, object]:
    accounts = {"passwords": str(passwords), "access": str(access)}
    return {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "session_expiry_interval": ABSENT_SESSION_KEPT_S,
        "plugins": {"gateway.rig.embedded_broker.Accounts": accounts},  # and no other: the usual ones let all in
    }


if __name__ == "__main__":
    typer.run(main)
