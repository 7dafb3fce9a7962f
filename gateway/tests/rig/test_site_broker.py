"""The broker configuration for real sites, as it stands in `config/mosquitto`, started with certificates of a test."""

import asyncio
import ssl
import subprocess

import aiomqtt
import pytest

from gateway import paths
from gateway.rig.broker import write_accounts
from gateway.rig.processes import Program
from gateway.rig.readiness import PortOpen

# What Debian ships as /etc/mosquitto/mosquitto.conf, with the test's folder; the user is obeyed by root only, who could
# not read the test's files otherwise.
DEBIAN = """\
user root
persistence true
persistence_location {folder}/
log_dest stderr
include_dir {folder}/conf.d
"""
PASSWORDS = {"gateway": "g-secret", "cellar": "c-secret"}


@pytest.fixture
def certificate(tmp_path):
    key, made = tmp_path / "broker.key", tmp_path / "broker.crt"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-x509")
    names = ("-subj", "/CN=broker.test", "-addext", "subjectAltName=IP:127.0.0.1")
    subprocess.run(["openssl", "req", *curve, *names, "-keyout", key, "-out", made], check=True, capture_output=True)
    return made


@pytest.fixture
async def site_ports(mosquitto, processes, tmp_path, certificate, unused_ports):
    """Only paths, ports and the interface differ from the file that is copied to a site."""
    write_accounts(tmp_path, PASSWORDS)
    encrypted, local = unused_ports
    text = (paths.config_folder() / "mosquitto" / "mosquitto.conf").read_text()
    for given, here in {
        "listener 8883": f"listener {encrypted} 127.0.0.1",
        "listener 1883": f"listener {local}",
        "/etc/mosquitto/certs": str(certificate.parent),
        "/etc/mosquitto": str(tmp_path),
    }.items():
        assert given in text
        text = text.replace(given, here)
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "zen-e-ville.conf").write_text(text)
    file = tmp_path / "mosquitto.conf"
    file.write_text(DEBIAN.format(folder=tmp_path))
    command = (str(mosquitto.path), "-c", str(file))
    ready = PortOpen(host="127.0.0.1", port=local)
    broker = await processes.start(Program(name="broker", command=command, folder=tmp_path, ready=ready))
    assert "Error" not in broker.log.read_text()
    return unused_ports


@pytest.fixture
def encrypted_port(site_ports):
    return site_ports[0]


async def test_a_node_connects_encrypted_and_only_with_its_account(encrypted_port, certificate):
    trusted = ssl.create_default_context(cafile=certificate)
    account = {"username": "cellar", "password": PASSWORDS["cellar"]}
    async with aiomqtt.Client("127.0.0.1", encrypted_port, tls_context=trusted, **account) as node:
        await node.publish("zev/1/site/cellar/data", b"x", qos=1)
    with pytest.raises(aiomqtt.MqttError):
        async with aiomqtt.Client("127.0.0.1", encrypted_port, tls_context=trusted):
            pytest.fail("was let in without an account")
    with pytest.raises(aiomqtt.MqttError):
        async with aiomqtt.Client("127.0.0.1", encrypted_port, timeout=2, **account):
            pytest.fail("was let in without encryption")


async def test_no_node_gets_the_place_of_the_gateway_nor_to_where_it_connects(site_ports, certificate):
    encrypted, local = site_ports
    trusted = ssl.create_default_context(cafile=certificate)
    node = {"username": "cellar", "password": PASSWORDS["cellar"], "identifier": "zev-site-0123"}
    ours = {"username": "gateway", "password": PASSWORDS["gateway"], "identifier": "zev-site-0123"}
    async with aiomqtt.Client("127.0.0.1", local, clean_session=False, **ours) as gateway:
        await gateway.subscribe("zev/1/site/+/data", qos=1)
        with pytest.raises(aiomqtt.MqttError, match=r"(?i)not authori[sz]ed"):
            async with aiomqtt.Client("127.0.0.1", local, **node):
                pytest.fail("was let in")
        async with aiomqtt.Client("127.0.0.1", encrypted, tls_context=trusted, **node) as thief:
            await thief.publish("zev/1/site/cellar/data", b"heard", qos=1)
            async with asyncio.timeout(5):
                assert (await anext(aiter(gateway.messages))).payload == b"heard"
