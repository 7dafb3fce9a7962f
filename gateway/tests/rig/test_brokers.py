"""Both brokers with the accounts and rights of a real site, seen by a real client."""

import asyncio
import contextlib
import sys

import aiomqtt
import pytest

from gateway.rig.broker import embedded_program, mosquitto_program, write_accounts
from gateway.rig.processes import Program

PASSWORDS = {"gateway": "g-secret", "cellar": "c-secret", "attic": "a-secret"}
WITHIN_S = 5.0


@pytest.fixture(params=["mosquitto", "embedded"])
async def ports(request, processes, tmp_path, unused_ports):
    """Of all accounts, and of the gateway's programs."""
    folder = tmp_path / "broker"
    write_accounts(folder, PASSWORDS)
    port, gateway_port = unused_ports
    where = {"port": port, "gateway_port": gateway_port, "folder": folder}
    if request.param == "mosquitto":
        program = mosquitto_program(request.getfixturevalue("mosquitto"), **where)
    else:
        program = embedded_program(**where)
    await processes.start(program)
    return unused_ports


@pytest.fixture
def port(ports):
    return ports[0]


def client(port, user, **more):
    settings = {
        "username": user,
        "password": PASSWORDS[user],
        "identifier": f"test-{user}",
        "timeout": WITHIN_S,
        **more,
    }
    return aiomqtt.Client("127.0.0.1", port, **settings)


async def next_of(listener):
    async with asyncio.timeout(WITHIN_S):
        return await anext(aiter(listener.messages))


@pytest.mark.parametrize(
    "credentials",
    [{"username": None, "password": None}, {"password": "wrong"}, {"username": "stranger"}, {"password": ""}],
    ids=["anonymous", "wrong password", "unknown account", "empty password"],
)
async def test_only_who_has_an_account_and_its_password_gets_in(port, credentials):
    with pytest.raises(aiomqtt.MqttError, match=r"(?i)not authori[sz]ed|bad user"):
        async with client(port, "cellar", **credentials):
            pytest.fail("was let in")


async def test_a_node_is_heard_by_the_gateway_at_least_once(port):
    async with client(port, "gateway") as gateway, client(port, "cellar") as cellar:
        await gateway.subscribe("zev/1/site/+/data", qos=1)
        for number in range(20):
            await cellar.publish("zev/1/site/cellar/data", bytes([number, 0, 255]), qos=1)
        heard = [await next_of(gateway) for _ in range(20)]
    assert [message.payload[0] for message in heard] == list(range(20))
    assert {(str(message.topic), message.qos) for message in heard} == {("zev/1/site/cellar/data", 1)}


async def test_a_retained_message_waits_for_those_who_come_later(port):
    async with client(port, "gateway") as gateway:
        await gateway.publish("zev/1/site/cellar/cfg", b"table", qos=1, retain=True)
    async with client(port, "cellar") as cellar:
        await cellar.subscribe("zev/1/site/cellar/cfg", qos=1)
        message = await next_of(cellar)
    assert (message.payload, message.retain) == (b"table", True)


NODE_WITH_A_WILL = """
import asyncio, sys, aiomqtt
async def main(port, password):
    topic = "zev/1/site/cellar/state"
    will = aiomqtt.Will(topic, b"gone", qos=1, retain=True)
    async with aiomqtt.Client("127.0.0.1", port, username="cellar", password=password, will=will) as client:
        await client.publish(topic, b"here", qos=1, retain=True)
        await asyncio.sleep(60)
asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
"""


async def test_the_will_of_a_node_that_vanishes_is_published_and_kept(port, processes, tmp_path):
    command = (sys.executable, "-c", NODE_WITH_A_WILL, str(port), PASSWORDS["cellar"])
    async with client(port, "gateway") as gateway:
        await gateway.subscribe("zev/1/site/cellar/state", qos=1)
        node = await processes.start(Program(name="node", command=command, folder=tmp_path))
        assert (await next_of(gateway)).payload == b"here"
        await node.kill()
        assert (await next_of(gateway)).payload == b"gone"
    async with client(port, "gateway") as later:
        await later.subscribe("zev/1/site/cellar/state", qos=1)
        message = await next_of(later)
    assert (message.payload, message.retain) == (b"gone", True)


@pytest.mark.parametrize(
    "topic",
    ["zev/1/site/attic/data", "zev/1/site/gateway/state", "zev/1/site", "zev/2/site/cellar/data", "anything"],
)
async def test_a_node_cannot_speak_as_another(port, topic):
    async with client(port, "gateway") as gateway, client(port, "cellar") as cellar:
        await gateway.subscribe("zev/1/#", qos=1)
        await cellar.publish(topic, b"forged", qos=1)
        await cellar.publish("zev/1/site/cellar/data", b"own", qos=1)  # in order: had the first passed, it came first
        assert (await next_of(gateway)).payload == b"own"


async def test_a_node_hears_its_own_orders_and_the_gateway_but_no_other_node(port):
    published = {
        "zev/1/site/attic/set": False,
        "zev/1/site/attic/cfg": False,
        "zev/1/site/attic/data": False,
        "zev/1/site/gateway/state": True,
        "zev/1/site/cellar/heard": True,
        "zev/1/site/cellar/set": True,
    }
    async with client(port, "gateway") as gateway, client(port, "cellar") as cellar:
        for topic in published:
            await cellar.subscribe(topic, qos=1)  # a broker may refuse this, or grant it and deliver nothing
        for topic in published:
            await gateway.publish(topic, b"x", qos=1)
        heard = [str((await next_of(cellar)).topic) for _ in range(sum(published.values()))]
    assert set(heard) == {topic for topic, may in published.items() if may}


async def test_a_session_that_is_away_gets_what_came_meanwhile(port):
    absent = {"clean_session": False}
    async with client(port, "gateway", **absent) as gateway:
        await gateway.subscribe("zev/1/site/+/data", qos=1)
    async with client(port, "cellar") as cellar:
        for number in range(5):
            await cellar.publish("zev/1/site/cellar/data", bytes([number]), qos=1)
    async with client(port, "gateway", **absent) as gateway:
        came = [(await next_of(gateway)).payload[0] for _ in range(5)]
    # The embedded broker may hand the last one over before those that waited; records carry numbers of their own.
    assert sorted(came) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("absent", [False, True], ids=["clean", "with a session"])
async def test_a_node_that_calls_itself_the_gateway_or_another_node_pushes_nobody_out(ports, absent):
    port, gateway_port = ports
    async with (
        client(gateway_port, "gateway", identifier="the-gateway", clean_session=False) as gateway,
        client(port, "cellar") as cellar,
    ):
        await gateway.subscribe("zev/1/site/+/data", qos=1)
        await cellar.subscribe("zev/1/site/cellar/set", qos=1)
        for name in ("the-gateway", "test-cellar", "cellar", "gateway"):
            with contextlib.suppress(aiomqtt.MqttError):
                async with client(gateway_port, "attic", identifier=name, clean_session=not absent):
                    pass
            with contextlib.suppress(aiomqtt.MqttError):
                async with client(port, "attic", identifier=name, password="", clean_session=not absent):
                    pass
            async with client(port, "attic", identifier=name, clean_session=not absent) as thief:
                await thief.publish("zev/1/site/attic/data", name.encode(), qos=1)
                assert (await next_of(gateway)).payload == name.encode()
        await gateway.publish("zev/1/site/cellar/set", b"order", qos=1)
        assert (await next_of(cellar)).payload == b"order"


async def test_several_programs_may_speak_as_the_gateway(ports):
    _, gateway_port = ports
    async with (
        client(gateway_port, "gateway", identifier="run") as run,
        client(gateway_port, "gateway", identifier="once") as once,
    ):
        await run.subscribe("zev/1/site/x/y", qos=1)
        await once.publish("zev/1/site/x/y", b"1", qos=1)
        assert (await next_of(run)).payload == b"1"
