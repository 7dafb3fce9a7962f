"""TLS between node and broker: the right broker and no other, in bounded time, again and again."""

import asyncio
import datetime as dt
import subprocess
import time

import pytest
import tables
from certificates import Authority
from node_rig import FIRMWARE, Broker, figure, free_port, until

pytestmark = pytest.mark.hil

TWO_UNITS = [{"bus": 0, "id": 1, "wfc": 16}]
NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture
def authority():
    return Authority()


@pytest.fixture
def certificate(authority, tmp_path):
    return authority.issue(tmp_path / "broker.pem", ["localhost", "127.0.0.1"])


@pytest.fixture
async def broker(mosquitto, tmp_path, certificate):
    broker = Broker(mosquitto, tmp_path, certificate)
    await broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def over_tls(authority, broker):
    """The broker as node.json names it."""

    def entry(host: str = "127.0.0.1", port: int | None = None, ca: str | None = None) -> dict:
        return {"host": host, "port": port or broker.tls_port, "ca": ca or authority.base64}

    return entry


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_records_and_orders_travel_inside_tls(host, node, gateway, battery, over_tls):
    battery.put(30775, 0, 0)
    node.start(tables.battery_table(battery.port, unit=1), broker=over_tls(host))
    assert (await gateway.record(0))[6] == (0, 0)
    await gateway.ack("applied", await gateway.order([100]))
    assert battery.written
    assert "link: up" in node.said()


REFUSED = {
    "another authority": ({}, "not correctly signed"),
    "another name": ({"names": ["other.example"]}, "does not match"),
    "another number": ({"names": ["127.0.0.2", "localhost"]}, "does not match"),
    "an expired certificate": ({"last": NOW - DAY}, "expired"),
    "a certificate of the future": ({"first": NOW + DAY}, "in the future"),  # to a board in the year 2000 most are
}


@pytest.mark.parametrize("name", REFUSED)
async def test_refuses_a_broker_with(name, node, gateway, inverter, mosquitto, over_tls, authority, tmp_path):
    how, why = REFUSED[name]
    signer = Authority() if name == "another authority" else authority
    (tmp_path / "false").mkdir()
    pem = signer.issue(tmp_path / "false.pem", **{"names": ["127.0.0.1"], **how})
    impostor = Broker(mosquitto, tmp_path / "false", pem)
    await impostor.start()
    try:
        inverter.put(0, 7)
        poll = tables.table([tables.tcp(inverter.port)], TWO_UNITS, [tables.block(0, 0, 1)])
        node.start(poll, broker=over_tls(port=impostor.tls_port))
        await until(lambda: why in node.said(), f"{why!r} from the node")
        asked = len(inverter.asked)
        await until(lambda: len(inverter.asked) > asked + 5, "the node to poll on")
        assert "link: up" not in node.said()
    finally:
        impostor.kill()


async def test_a_board_believes_a_certificate_that_names_the_number_it_calls(board, broker, authority):
    """Of mbedTLS 3.6: an IP address must be an IP address among the names, or else the common name of a bare one."""
    script = f"""
import asyncio
from node import broker, mqtt_login, tcp_connect
async def main():
    conf = {{"host": "127.0.0.1", "port": {broker.tls_port}, "ca": "{authority.base64}"}}
    connection = await tcp_connect.connect(*broker.find(conf, None, None))
    await connection.send(memoryview(b"\\xc0\\0"))
    print("trusted")
asyncio.run(main())
"""
    assert await asyncio.to_thread(board, script) == "trusted\n"


async def test_a_refused_broker_leaves_no_socket_behind(board, broker):
    script = f"""
import asyncio, os
from node import broker, mqtt_login, tcp_connect
conf = {{"host": "127.0.0.1", "port": {broker.tls_port}, "ca": "{Authority().base64}"}}
async def main():
    where = broker.find(conf, None, None)
    for attempt in range(6):
        connection = await tcp_connect.connect(*where)
        try:
            await connection.send(memoryview(b"x"))
        except OSError as error:
            if attempt in (0, 5):
                print(error, len(os.listdir("/proc/self/fd")))
        connection.close()
asyncio.run(main())
"""
    first, last = (await asyncio.to_thread(board, script)).splitlines()
    assert first == last
    assert "not correctly signed" in first


async def test_does_not_speak_in_clear_to_a_broker_that_was_to_have_a_certificate(node, broker, inverter, over_tls):
    inverter.put(0, 7)
    poll = tables.table([tables.tcp(inverter.port)], TWO_UNITS, [tables.block(0, 0, 1)])
    node.start(poll, broker=over_tls(port=broker.port))
    await until(lambda: "link: " in node.said(), "a word of the link")
    assert "link: up" not in node.said()


async def test_a_broker_that_is_no_certificate_is_a_word_of_the_link_and_no_end(node, inverter, over_tls):
    inverter.put(0, 7)
    poll = tables.table([tables.tcp(inverter.port)], TWO_UNITS, [tables.block(0, 0, 1)])
    node.start(poll, broker=over_tls(ca="AAAA"))
    await until(lambda: "broker.ca" in node.said(), "a word of the link")
    asked = len(inverter.asked)
    await until(lambda: len(inverter.asked) > asked + 5, "the node to poll on")


async def test_a_broker_that_says_nothing_is_left_in_time_and_holds_nothing_up(node, inverter, over_tls):
    begun, ended = [], []

    async def silent(reader, writer):
        begun.append(time.monotonic())
        while await reader.read(1000):
            pass
        ended.append(time.monotonic())
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", free_port())
    inverter.put(0, 7)
    poll = tables.table([tables.tcp(inverter.port)], TWO_UNITS, [tables.block(0, 0, 1, ms=100)])
    node.start(poll, broker=over_tls(port=server.sockets[0].getsockname()[1]))
    await until(lambda: ended, "the node to leave")
    server.close()
    assert 4 < ended[0] - begun[0] < 12  # 1000 tries, 5 ms apart
    polls = [asked[0] for asked in inverter.asked if begun[0] < asked[0] < ended[0]]
    assert len(polls) > 0.9 * 10 * (ended[0] - begun[0])  # ten a second


SESSIONS = """
import asyncio, gc
from node import broker, mqtt_login, tcp_connect
from node.mqtt import Mqtt
from node.wait import Bell, left, after
conf = {"host": "localhost", "port": %d, "ca": "%s"}
async def main():
    gc.collect()
    before = gc.mem_alloc()
    where = None
    mqtt = Mqtt(Bell(), {b"t": None}, None, lambda: None)
    session = 0
    while session < 14:
        try:
            where = broker.find(conf, None, where)
            gc.collect()
            context = gc.mem_alloc() - before
            begin = after(0)
            connection = await tcp_connect.connect(*where)
            await mqtt_login.begin(mqtt, connection, {"site": "x", "node": "y", "broker": {}}, "will", "down")
            ms = -left(begin)
            session += 1
            gc.collect()
            print(session, ms, gc.mem_alloc(), context, open("/proc/self/statm").read().split(" ")[1])
            while True:
                await mqtt.idle(100)
        except OSError as error:
            await asyncio.sleep_ms(50)
        finally:
            connection = None
            mqtt.close()
asyncio.run(main())
"""


async def test_ten_outages_later_the_heap_is_as_before(micropython, broker, authority, capsys):
    process = await asyncio.create_subprocess_exec(
        micropython, "-X", "heapsize=112k", "-c", SESSIONS % (broker.tls_port, authority.base64),
        env={"MICROPYPATH": f".frozen:{FIRMWARE}:{FIRMWARE.parent / 'gateway'}"}, stdout=subprocess.PIPE,
    )  # fmt: skip
    sessions = []
    try:
        for _ in range(14):
            line = await asyncio.wait_for(process.stdout.readline(), 15)
            sessions.append([int(word) for word in line.split()])
            broker.kill()
            await broker.start()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    assert [session[0] for session in sessions] == list(range(1, 15))
    milliseconds = sorted(session[1] for session in sessions)
    figure(
        capsys,
        f"TLS: {milliseconds[0]} to {milliseconds[-1]} ms from the first packet to the subscription; "
        f"heap {sessions[3][2]} B after the fourth, {sessions[-1][2]} B after ten outages more; "
        f"resident pages {sessions[0][4]}, {sessions[-1][4]}",
    )
    # by the fourth session the interpreter's table of names has taken its last step, which is no leak
    assert abs(sessions[-1][2] - sessions[3][2]) < 300
    assert (
        sessions[-1][4] - sessions[1][4] < 25
    )  # 100 kB: one mbedTLS session that stayed would be 30 to 40 kB, ten 300
