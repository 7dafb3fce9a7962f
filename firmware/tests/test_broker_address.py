"""The way to the broker: its numeric address outlives restarts and name servers."""

import pytest

pytestmark = pytest.mark.hil

# The name server of this test, and the memory of the node.
AROUND = """
import socket
from node import broker
NAMES = {"gateway.lan": "127.0.0.2", "moved.lan": "127.0.0.3"}
asked = []
class Net:
    @staticmethod
    def getaddrinfo(host, port):
        if host[0] not in "0123456789":
            asked.append(host)
            if host not in NAMES:
                raise OSError(-2)
        return socket.getaddrinfo(NAMES.get(host, host), port)
broker.socket = Net
class Memory:
    value = ""
    writes = 0
    def text(self, key):
        assert key == "addr"
        return self.value
    def write(self, key, text):
        assert key == "addr"
        self.value = text
        self.writes += 1
memory = Memory()
def find(host, known=None):
    found = broker.find({"host": host, "port": 1883}, memory, known)
    print(broker.numeric(found[0]), asked, memory.value, memory.writes)
    asked.clear()
    return found
"""


def test_the_first_address_is_kept_and_needs_no_name_server_after_a_restart(board):
    script = "find('gateway.lan')\nNAMES.clear()\nfind('gateway.lan')\n"
    assert board(AROUND + script).splitlines() == [
        "127.0.0.2 ['gateway.lan'] gateway.lan 127.0.0.2 1",
        "127.0.0.2 [] gateway.lan 127.0.0.2 1",
    ]


def test_an_address_that_no_longer_answers_is_looked_up_again_and_kept_once(board):
    script = """
known = find('moved.lan')
NAMES['moved.lan'] = "127.0.0.9"
known = find('moved.lan', known)
known = find('moved.lan', known)
"""
    assert board(AROUND + script).splitlines() == [
        "127.0.0.3 ['moved.lan'] moved.lan 127.0.0.3 1",
        "127.0.0.9 ['moved.lan'] moved.lan 127.0.0.9 2",
        "127.0.0.9 ['moved.lan'] moved.lan 127.0.0.9 2",
    ]


def test_without_a_name_server_the_last_address_is_tried_on(board):
    script = "known = find('gateway.lan')\nNAMES.clear()\nfind('gateway.lan', known)\n"
    assert board(AROUND + script).splitlines()[1] == "127.0.0.2 ['gateway.lan'] gateway.lan 127.0.0.2 1"


def test_the_address_of_another_host_is_of_no_use(board):
    script = """
memory.value = "old.lan 127.0.0.4"
try:
    find('nowhere.lan')
except OSError:
    print("nowhere")
find('gateway.lan')
"""
    assert board(AROUND + script).splitlines() == [
        "nowhere",
        "127.0.0.2 ['nowhere.lan', 'gateway.lan'] gateway.lan 127.0.0.2 1",
    ]


def test_a_number_is_neither_asked_for_nor_kept(board):
    assert board(AROUND + "find('127.0.0.5')\n") == "127.0.0.5 []  0\n"


def test_an_address_of_a_board_is_read_as_well(board):
    assert board("from node import broker\nprint(broker.numeric(('192.168.1.7', 8883)))\n") == "192.168.1.7\n"
