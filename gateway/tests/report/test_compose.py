"""config/compose.yaml: what is in it, checked by models of our own, and by `docker compose config` where that is."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.paths import config_folder

FILE = config_folder() / "compose.yaml"
PINNED = r"^([a-z0-9-]+/)?[a-z0-9-]+:(\d+\.\d+\.\d+|local)$"
SECONDS = r"^\d+s$"
ENVIRONMENT = re.compile(r"\$\{(\w+)(?::[?-][^}]*)?\}")


class Keys(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Health(Keys):
    test: Annotated[list[str], Field(min_length=2)]
    interval: Annotated[str, Field(pattern=SECONDS)]
    timeout: Annotated[str, Field(pattern=SECONDS)]
    retries: Annotated[int, Field(ge=2)]
    start_period: Annotated[str, Field(pattern=SECONDS)]


class Awaited(Keys):
    condition: Literal["service_healthy", "service_started"]


class Build(Keys):
    context: str
    dockerfile_inline: str


class KeyFile(Keys):
    path: str
    required: bool


class MountedConfig(Keys):
    source: str
    target: str
    mode: int


class Service(Keys):
    image: Annotated[str, Field(pattern=PINNED)]
    network_mode: Literal["host"]
    restart: Literal["unless-stopped"]
    healthcheck: Health
    volumes: list[str]
    environment: dict[str, str] = Field(default_factory=dict)
    secrets: list[str] = Field(default_factory=list)
    configs: list[MountedConfig] = Field(default_factory=list)
    depends_on: dict[str, Awaited] = Field(default_factory=dict)
    build: Build | None = None
    command: list[str] = Field(default_factory=list)
    env_file: list[KeyFile] = Field(default_factory=list)
    stop_grace_period: Annotated[str, Field(pattern=SECONDS)] | None = None


class OfEnvironment(Keys):
    environment: Annotated[str, Field(pattern=r"^ZEN_\w+$")]


class Content(Keys):
    content: str


class Compose(Keys):
    name: str
    services: dict[str, Service]
    volumes: dict[str, dict[str, str]]
    secrets: dict[str, OfEnvironment]
    configs: dict[str, Content]


def loaded(text: str) -> Compose:
    return Compose.model_validate(yaml.safe_load(text))


@pytest.fixture(scope="module")
def compose() -> Compose:
    return loaded(FILE.read_text("utf-8"))


def test_the_four_programs_are_there_each_with_a_health_check(compose: Compose) -> None:
    assert set(compose.services) == {"broker", "database", "grafana", "gateway"}


def test_what_a_service_names_is_declared(compose: Compose) -> None:
    for service in compose.services.values():
        assert set(service.secrets) <= set(compose.secrets)
        assert {one.source for one in service.configs} <= set(compose.configs)
        assert set(service.depends_on) <= set(compose.services)
        for volume in service.volumes:
            source = volume.split(":")[0]
            if not source.startswith((".", "$")):
                assert source in compose.volumes


def test_what_is_mounted_from_here_exists_in_both_languages(compose: Compose) -> None:
    for service in compose.services.values():
        for volume in service.volumes:
            for language in ("en", "fr"):
                source = volume.replace("${ZEN_LANGUAGE:-fr}", language).split(":")[0]
                if source.startswith("."):
                    assert (FILE.parent / source).exists(), source


def test_no_secret_is_in_the_file(compose: Compose) -> None:
    for service in compose.services.values():
        for name, value in service.environment.items():
            if re.search("TOKEN|PASSWORD|KEY", name):
                assert value.startswith(("/run/secrets/", "${")), name
                if value.startswith("/run/secrets/"):
                    assert value.removeprefix("/run/secrets/") in service.secrets


def test_grafana_has_every_variable_of_its_files(compose: Compose) -> None:
    texts = "".join(path.read_text("utf-8") for path in (FILE.parent / "grafana" / "provisioning").rglob("*.yaml"))
    assert set(re.findall(r"\$(ZEN_\w+)", texts)) <= set(compose.services["grafana"].environment)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('    healthcheck:\n      test: ["CMD", "nc"', '    healthchek:\n      test: ["CMD", "nc"'), "healthchek"),
        (("influxdb:2.7.12", "influxdb:latest"), "image"),
        (("condition: service_healthy", "condition: healthy"), "condition"),
        (("network_mode: host", "network_mode: bridge"), "network_mode"),
    ],
)
def test_a_mistake_is_found(change: tuple[str, str], says: str) -> None:
    text = FILE.read_text("utf-8")
    assert change[0] in text
    with pytest.raises(ValidationError, match=says):
        loaded(text.replace(*change))


def test_docker_compose_takes_it(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not on this machine")
    wanted = {match[1]: str(tmp_path) for match in ENVIRONMENT.finditer(FILE.read_text("utf-8"))}
    wanted |= dict.fromkeys(("ZEN_INFLUX_PASSWORD", "ZEN_INFLUX_ADMIN_TOKEN", "ZEN_GRAFANA_PASSWORD"), "secret")
    wanted["ZEN_LANGUAGE"] = "en"
    command: list[Any] = [docker, "compose", "-f", FILE, "config", "--quiet"]
    done = subprocess.run(command, env={**os.environ, **wanted}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
