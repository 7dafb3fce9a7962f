"""Bytes from the specifications, on the interpreter of the gateway and on that of the board."""

import json

import pytest
from node import modbus_frames
from wire import records, seal

# Two maker's frames with their checksum: Eastron SDM630 protocol (read 0x34) and MODBUS over Serial Line V1.02.
FRAMES = ["010400340002 3005", "0207 4112"]

# RFC 4231, test cases 1, 2, 3, 4, 6, 7 (5 is about truncation): key, data, HMAC-SHA-256.
RFC_4231 = [
    ("0b" * 20, b"Hi There".hex(), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (
        b"Jefe".hex(),
        b"what do ya want for nothing?".hex(),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    ("aa" * 20, "dd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (bytes(range(1, 26)).hex(), "cd" * 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    (
        "aa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First".hex(),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        "aa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data. "
        b"The key needs to be hashed before being used by the HMAC algorithm.".hex(),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
]


@pytest.fixture(params=["micropython", "micropython_64"])
def board(request, runner):
    """The board's interpreter, and one with 64 bits."""
    return runner(request.getfixturevalue(request.param))


@pytest.mark.parametrize("frame", FRAMES)
def test_checksum_of_a_line_frame(frame):
    body, crc = (bytes.fromhex(part) for part in frame.split())
    assert modbus_frames.crc16(body, len(body)).to_bytes(2, "little") == crc
    assert modbus_frames.crc16(body + crc, len(body) + 2) == 0


@pytest.mark.parametrize(("key", "data", "digest"), RFC_4231)
def test_hmac_on_the_gateway(key, data, digest):
    assert seal.hmac_sha256(bytes.fromhex(key), bytes.fromhex(data)).hex() == digest


@pytest.mark.hil
def test_checksum_and_hmac_on_the_board(board):
    said = board(
        "from node.modbus_frames import crc16\nfrom wire.seal import hmac_sha256\nx = bytes.fromhex\n"
        f"for f in {[frame.split()[0] for frame in FRAMES]}: print('%04x' % crc16(x(f), len(x(f))))\n"
        f"for k, d in {[row[:2] for row in RFC_4231]}: print(hmac_sha256(x(k), x(d)).hex())\n"
    )
    checksums = ["".join(reversed([frame.split()[1][:2], frame.split()[1][2:]])) for frame in FRAMES]
    assert said.split() == checksums + [row[2] for row in RFC_4231]


# MODBUS Application Protocol V1.1b3: the examples of 6.1 to 6.6, 6.11, 6.12 and 6.17 (PDU only; unit 0x11 in front).
REQUESTS = [
    ((0x11, 1, 0x13, 0x13), "11 0100130013"),
    ((0x11, 2, 0xC4, 0x16), "11 0200C40016"),
    ((0x11, 3, 0x6B, 3), "11 03006B0003"),
    ((0x11, 4, 0x08, 1), "11 0400080001"),
    ((0x11, 5, 0xAC, 1), "11 0500ACFF00"),
    ((0x11, 5, 0xAC, 0), "11 0500AC0000"),
    ((0x11, 6, 0x01, 3), "11 0600010003"),
    ((0x11, 15, 0x13, 10, [1, 0, 1, 1, 0, 0, 1, 1, 1, 0]), "11 0F0013000A02CD01"),
    ((0x11, 16, 0x01, 2, [0x0A, 0x0102]), "11 100001000204000A0102"),
    ((0x11, 23, 0x03, 6, [0xFF] * 3, 0x0E), "11 1700030006000E00030600FF00FF00FF"),
]


@pytest.mark.parametrize(("arguments", "expected"), REQUESTS)
def test_requests_are_those_of_the_specification(arguments, expected):
    tx = bytearray(40)
    end = modbus_frames.request(tx, 6, *arguments)
    assert bytes(tx[6:end]) == bytes.fromhex(expected)


@pytest.mark.parametrize(
    ("function", "count", "size"),
    [(1, 0x13, 3), (2, 0x16, 3), (1, 8, 1), (1, 2000, 250), (3, 3, 6), (4, 1, 2), (23, 6, 12)],
)
def test_the_data_of_an_answer_have_the_length_of_the_specification(function, count, size):
    assert modbus_frames.data_bytes(function, count) == size


VERDICTS = [
    ("11 0100130013", "11 0103CD6B05", records.OK),  # 6.1
    ("11 0200C40016", "11 0203ACDB35", records.OK),  # 6.2
    ("11 0500ACFF00", "11 0500ACFF00", records.OK),  # 6.5
    ("11 0F0013000A02CD01", "11 0F0013000A", records.OK),  # 6.11
    ("11 1700030006000E00030600FF00FF00FF", "11 170C00FE0ACD00010003000D00FF", records.OK),  # 6.17
    ("11 1700030002000300020400FF0102", "11 170400FF0102", records.OK),  # read back as written
    ("11 1700030002000300020400FF0102", "11 170400FF0103", records.WRONG_REPLY),  # not read back as written
    ("11 1700030002000300020400FF0102", "11 170200FF", records.WRONG_REPLY),
    ("11 1700030002000300020400FF0102", "11 1700030002", records.WRONG_REPLY),
    ("11 1700030002000300020400FF0102", "11 9703", records.EXCEPTION),
    ("11 0100130013", "11 8102", records.EXCEPTION),
    ("11 0100130013", "11 0102CD6B", records.WRONG_REPLY),  # fewer coils
    ("11 0500ACFF00", "11 0500AC0000", records.WRONG_REPLY),  # the coil is off
    ("11 0F0013000A02CD01", "11 0F00130009", records.WRONG_REPLY),  # fewer coils than written
    ("11 03006B0003", "00 0000000000", records.WRONG_REPLY),
    ("00 0300000000", "00 0000000000", records.WRONG_REPLY),
    ("11 03006B0003", "11 0306022B00000064", records.OK),  # 6.3
    ("11 0400080001", "11 0402000A", records.OK),  # 6.4
    ("11 0600010003", "11 0600010003", records.OK),  # 6.6
    ("11 100001000204000A0102", "11 1000010002", records.OK),  # 6.12
    ("11 03006B0003", "11 8302", records.EXCEPTION),
    ("11 03006B0003", "12 0306022B00000064", records.WRONG_REPLY),  # another unit
    ("11 03006B0003", "11 0406022B00000064", records.WRONG_REPLY),  # another function
    ("11 03006B0003", "11 8402", records.WRONG_REPLY),  # an exception to another function
    ("11 03006B0003", "11 0304022B0000", records.WRONG_REPLY),  # fewer registers
    ("11 03006B0003", "11 0306022B0000", records.WRONG_REPLY),  # fewer than it says
    ("11 03006B0003", "11 0306022B0000006400", records.WRONG_REPLY),  # more than it says
    ("11 0600010003", "11 0600010004", records.WRONG_REPLY),  # another value than written
    ("11 100001000204000A0102", "11 1000020002", records.WRONG_REPLY),  # another address
]


@pytest.mark.parametrize(("request_", "answer", "flag"), VERDICTS)
@pytest.mark.parametrize("at", [0, 6], ids=["line", "tcp"])
def test_an_answer_is_judged(request_, answer, flag, at):
    tx = bytes(at) + bytes.fromhex(request_)
    rx = bytes(at) + bytes.fromhex(answer)
    assert modbus_frames.verdict(tx, rx, at, len(rx)) == flag


@pytest.mark.parametrize(("request_", "answer", "flag"), VERDICTS)
@pytest.mark.parametrize("at", [0, 6], ids=["line", "tcp"])
def test_the_length_of_an_answer_follows_from_its_beginning(request_, answer, flag, at):
    tx, rx = bytes(at) + bytes.fromhex(request_), bytes(at) + bytes.fromhex(answer)
    length = modbus_frames.length(tx, rx[: at + 3], at)
    if flag != records.WRONG_REPLY:
        assert length == len(rx) - at + 2  # and a checksum
    assert length in (0, 5, 8) or length == 5 + rx[at + 2]


@pytest.mark.hil
def test_the_board_judges_as_the_gateway_does(board):
    code = (
        "from node import modbus_frames\n"
        f"for arguments, _ in {REQUESTS}:\n"
        "    for at in (0, 6):\n"
        "        tx = bytearray(40)\n"
        "        print(bytes(tx[at : modbus_frames.request(tx, at, *arguments)]).hex())\n"
        f"for asked, answer, _ in {VERDICTS}:\n"
        "    for at in (0, 6):\n"
        "        tx, rx = (bytearray(at) + bytes.fromhex(x.replace(' ', '')) for x in (asked, answer))\n"
        "        print(modbus_frames.verdict(tx, memoryview(rx), at, len(rx)))\n"
    )
    expected = [request_.replace(" ", "").lower() for _, request_ in REQUESTS for _ in range(2)]
    expected += [str(flag) for *_, flag in VERDICTS for _ in range(2)]
    assert board(code).split() == expected


MQTT = {
    # 3.1.1, 2.2.3: remaining lengths at the limits of one, two and three bytes
    "head(0x30, 127)": "307f",
    "head(0x30, 128)": "308001",
    "head(0x30, 16383)": "30ff7f",
    "head(0x30, 16384)": "30808001",
    # 1.5.3: the string A + U+2A6D4 is not ours to send, but its rule is: length, then UTF-8
    "text('é')": "0002c3a9",
    # 3.1: protocol MQTT level 4; flags 0xEE = user, password, will retain, will QoS 1, will, clean; keep-alive 10 s
    "connect_packet('n', 'u', 'p', 'a/b', 'w')": "101b 00044d515454 04 ee 000a 00016e 0003612f62 000177 000175 000170",
    "connect_packet('n', None, '', 'a/b', 'w')": "1015 00044d515454 04 2e 000a 00016e 0003612f62 000177",
    # 3.8: SUBSCRIBE has the reserved bits 0010; figure 3.23 with QoS 1
    "subscribe_packet(10, [b'a/b', b'c/d'])": "820e 000a 0003612f62 01 0003632f64 01",
}


@pytest.mark.hil
def test_mqtt_packets_are_those_of_the_specification(board):
    lines = "".join(f"print(bytes({call}).hex())\n" for call in MQTT)
    said = board(
        "from node.mqtt import head, text\nfrom node.mqtt_login import connect_packet, subscribe_packet\n" + lines
    )
    assert said.split() == [expected.replace(" ", "") for expected in MQTT.values()]


@pytest.mark.hil
def test_words_of_a_value_in_every_format(board):
    wanted = {
        ("h", -2): [0xFFFE],
        ("H", 65535): [65535],
        ("i", -1200): [0xFFFF, 0xFB50],
        ("I", 0x00010002): [1, 2],
        ("i<", -1200): [0xFB50, 0xFFFF],
        ("I<", 4294967294): [0xFFFE, 0xFFFF],
    }
    said = board(
        f"import json\nfrom node.orders import words\nprint(json.dumps([list(words(*k)) for k in {list(wanted)}]))"
    )
    assert json.loads(said) == list(wanted.values())


@pytest.mark.hil
def test_the_back_off_is_quick_for_half_a_minute_and_patient_after(board):
    said = board("from node.broker import pause_ms\nprint([pause_ms(n) for n in range(20)])")
    pauses = json.loads(said)
    assert pauses[0] <= 500
    assert max(pauses[:12]) <= 4000
    assert sum(pauses[:12]) > 20000
    assert 44000 <= min(pauses[15:]) <= max(pauses[15:]) <= 60000
