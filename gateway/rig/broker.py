"""A scratch broker on 127.0.0.1: accounts, rights and, for mosquitto, its configuration."""

import os
import pwd
import sys
from collections.abc import Mapping
from pathlib import Path

from gateway import paths
from gateway.rig.accounts import parse_access, password_file
from gateway.rig.part import Part
from gateway.rig.processes import Program
from gateway.rig.readiness import PortOpen

CONFIGURATION = """\
per_listener_settings true
persistence true
persistence_location {folder}/
# A broker that is killed forgets what came since its last save.
autosave_interval 5
max_queued_messages 20000
set_tcp_nodelay true
max_inflight_messages 20
max_packet_size 262144
log_dest stderr
log_type error
log_type warning
log_type notice
"""
LISTENER = """\
listener {port} 127.0.0.1
allow_anonymous false
password_file {folder}/{passwords}
acl_file {folder}/access
"""
BOUND = "use_username_as_clientid true\n"  # whatever a client calls itself, the broker knows it by its account


def write_accounts(folder: Path, passwords: Mapping[str, str]) -> None:
    """The password files, one of all accounts and one of the gateways' alone, and the ACL file of every real site."""
    folder.mkdir(exist_ok=True)
    gateways = {name: password for name, password in passwords.items() if name in parse_access(access_rules()).named}
    texts = {"passwords": password_file(passwords), "gateways": password_file(gateways), "access": access_rules()}
    for name, text in texts.items():
        file = folder / name
        file.touch(mode=0o600)
        file.chmod(0o600)
        file.write_text(text, encoding="utf-8")


def access_rules() -> str:
    """Who may say what, as on a real site (`config/mosquitto/access`)."""
    return (paths.config_folder() / "mosquitto" / "access").read_text(encoding="utf-8")


def mosquitto_program(part: Part, *, port: int, folder: Path, gateway_port: int | None = None) -> Program:
    """The real broker, its files in `folder`, where `write_accounts` has been.

    Each account has one name at `port`. Several programs may speak as the gateway, at `gateway_port`: nobody else may.
    """
    listeners = LISTENER.format(port=port, folder=folder, passwords="passwords") + BOUND
    if gateway_port is not None:
        listeners += LISTENER.format(port=gateway_port, folder=folder, passwords="gateways")
    file = folder / "mosquitto.conf"
    file.write_text(CONFIGURATION.format(folder=folder) + _same_user() + listeners, encoding="utf-8")
    return Program(
        name="broker", command=(str(part.path), "-c", str(file)), folder=folder, ready=_listening(gateway_port or port)
    )


def embedded_program(*, port: int, folder: Path, gateway_port: int | None = None) -> Program:
    """The broker in pure Python with the same accounts, rights and names, at one port or two."""
    files = ("--passwords", str(folder / "passwords"), "--access", str(folder / "access"))
    ports = [text for each in (port, gateway_port) if each for text in ("--port", str(each))]
    command = (sys.executable, "-m", "gateway.rig.embedded_broker", *ports, *files)
    environment = {"PYTHONPATH": paths.python_path()}
    ready = _listening(gateway_port or port)
    return Program(name="broker", command=command, folder=folder, environment=environment, ready=ready)


def _listening(port: int) -> PortOpen:
    return PortOpen(host="127.0.0.1", port=port)


def _same_user() -> str:
    """Started as root, mosquitto would change to a user who may not read our files."""
    try:
        return f"user {pwd.getpwuid(os.geteuid()).pw_name}\n"
    except KeyError:  # a container may run a number without a name; mosquitto then stays what it is
        return ""
