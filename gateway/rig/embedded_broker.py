"""A broker in pure Python, for the demo on a machine where no mosquitto can be had.

`python -m gateway.rig.embedded_broker --port …`. It keeps sessions and retained messages in memory only, so it is no
part of a real site.
"""

import asyncio
import logging
import secrets
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from amqtt import broker as amqtt_broker
from amqtt.adapters import ReaderAdapter, WriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import Action, BaseContext
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session

from gateway.rig.accounts import AccessList, is_password, parse_access

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


def bound(passwords: str, access: AccessList) -> type[BrokerProtocolHandler]:
    """What begins each connection, and knows a client by its account whatever it calls itself, as mosquitto does.

    Several programs may speak as a gateway, each under the name that it gives, or another where that is taken: this
    broker would leave the first one connected and deaf. Who has no password gets a name that nobody has, because the
    broker looks for the session of a name before it asks for the password.
    """

    class Bound(BrokerProtocolHandler):  # type: ignore[misc]  # amqtt comes without types
        @classmethod
        async def init_from_connect(
            cls, reader: ReaderAdapter, writer: WriterAdapter, plugins_manager: Any, loop: Any = None
        ) -> tuple[BrokerProtocolHandler, Session]:
            handler, session = await super().init_from_connect(reader, writer, plugins_manager, loop)
            user = session.username or ""
            known = plugins_manager.context.get_session(session.client_id)
            if not is_password(passwords, user, session.password or ""):
                session.client_id = f"refused-{secrets.token_hex(8)}"
            elif user not in access.named:
                session.client_id = user
            elif known is not None and known.transitions.is_connected():
                session.client_id = f"{session.client_id}-{secrets.token_hex(4)}"
            return handler, session

    return Bound


def main(
    port: Annotated[list[int], typer.Option(help="On 127.0.0.1.")],
    passwords: Annotated[Path, typer.Option(help="mosquitto's password file.")],
    access: Annotated[Path, typer.Option(help="mosquitto's ACL file.")],
) -> None:
    """Serve until SIGTERM."""
    logging.basicConfig(level=logging.WARNING)
    rights = parse_access(access.read_text(encoding="utf-8"))
    # The one place where it can be named: amqtt has no setting for it.
    amqtt_broker.BrokerProtocolHandler = bound(passwords.read_text(encoding="utf-8"), rights)
    asyncio.run(_serve(ports=port, passwords=passwords, access=access))


async def _serve(*, ports: Sequence[int], passwords: Path, access: Path) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    broker = Broker(_configuration(ports=ports, passwords=passwords, access=access))
    await broker.start()
    try:
        await ended.wait()
    finally:
        await broker.shutdown()


def _configuration(*, ports: Sequence[int], passwords: Path, access: Path) -> dict[str, object]:
    accounts = {"passwords": str(passwords), "access": str(access)}
    names = ["default", *(f"also-{port}" for port in ports[1:])]  # amqtt asks for one of this name
    return {
        "listeners": {
            name: {"type": "tcp", "bind": f"127.0.0.1:{port}"} for name, port in zip(names, ports, strict=True)
        },
        "session_expiry_interval": ABSENT_SESSION_KEPT_S,
        "plugins": {"gateway.rig.embedded_broker.Accounts": accounts},  # and no other: the usual ones let all in
    }


if __name__ == "__main__":
    typer.run(main)
