"""A scratch broker on 127.0.0.1: accounts, rights and, for mosquitto, its configuration."""

import os
import pwd
import sys
from collections.abc import Mapping
from pathlib import Path

from gateway import paths
from gateway.rig.accounts import password_file
from gateway.rig.part import Part
from gateway.rig.processes import Program
from gateway.rig.readiness import PortOpen

CONFIGURATION = """\
listener {port} 127.0.0.1
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/access
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


def write_accounts(folder: Path, passwords: Mapping[str, str]) -> None:
    """The password file, and the ACL file of every real site."""
    folder.mkdir(exist_ok=True)
    for name, text in (("passwords", password_file(passwords)), ("access", access_rules())):
        file = folder / name
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)


def access_rules() -> str:
    """Who may say what, as on a real site (`config/mosquitto/access`)."""
    return (paths.config_folder() / "mosquitto" / "access").read_text(encoding="utf-8")


def mosquitto_program(part: Part, *, port: int, folder: Path) -> Program:
    """The real broker, its files in `folder`, where `write_accounts` has been."""
    file = folder / "mosquitto.conf"
    file.write_text(CONFIGURATION.format(port=port, folder=folder) + _same_user(), encoding="utf-8")
    return Program(name="broker", command=(str(part.path), "-c", str(file)), folder=folder, ready=_listening(port))


def embedded_program(*, port: int, folder: Path) -> Program:
    """The broker in pure Python with the same accounts and rights."""
    files = ("--passwords", str(folder / "passwords"), "--access", str(folder / "access"))
    command = (sys.executable, "-m", "gateway.rig.embedded_broker", "--port", str(port), *files)
    environment = {"PYTHONPATH": paths.python_path()}
    return Program(name="broker", command=command, folder=folder, environment=environment, ready=_listening(port))


def _listening(port: int) -> PortOpen:
    return PortOpen(host="127.0.0.1", port=port)


def _same_user() -> str:
    """Started as root, mosquitto would change to a user who may not read our files."""
    try:
        return f"user {pwd.getpwuid(os.geteuid()).pw_name}\n"
    except KeyError:  # a container may run a number without a name; mosquitto then stays what it is
        return ""
