"""Stands in for the module of the ESP32: a station with its own time and moods, an access point, Ethernet.

`port.json`: {"wifi": {"ssid", "password", "join_ms": 50, "lies": looks at a live connection that say no,
"stuck": true when it never comes back by itself}}; the files `wifi.away` and `cable.out` take the network away.
Source: the port's network_wlan.c, network_lan.c.
"""

import os
import time

import chip
from machine import SPI, Pin

STAT_IDLE, STAT_CONNECTING, STAT_GOT_IP, STAT_WRONG_PASSWORD = 1000, 1001, 1010, 202
PHY_W5500 = 101
_first = chip.wired.get("chip", "esp32s3") == "esp32"
if _first:
    PHY_LAN8720 = 1  # the S3 has no Ethernet MAC
_started = []  # interfaces that have been active


def hostname(name):
    if len(name) > 32:
        raise ValueError("hostname")
    chip.note("hostname", name, "late" if any(one.up for one in _started) else "in time")


class _Interface:
    def __init__(self):
        self.up = False
        self.address = ("0.0.0.0",) * 4

    def active(self, on=None):
        if on is None:
            return self.up
        self.up = bool(on)
        if on:
            _started.append(self)
        chip.note(self.name, "active", self.up)
        self.changed()
        return self.up

    def changed(self):
        pass

    def ifconfig(self, address=None):
        if address is None:
            return self.address if self.isconnected() else ("0.0.0.0",) * 4
        if not isinstance(address, tuple) or len(address) != 4:
            raise ValueError("ifconfig")
        self.address = address
        chip.note(self.name, "address", address)
        return None


class _Station(_Interface):
    name = "station"

    def __init__(self):
        super().__init__()
        self.since = None  # tick of the connect()
        self.met = False
        self.lost = False
        self.lies = chip.wired.get("wifi", {}).get("lies", 0)

    def changed(self):
        self.since = None
        self.met = self.lost = False

    def config(self, **what):
        chip.note(self.name, what)

    def connect(self, ssid, password):
        if not self.up:
            raise OSError("Wifi Internal Error")
        if self.since is not None and not self.met:
            raise OSError("Wifi Internal State Error")  # while it is connecting
        chip.note(self.name, "connect", ssid)
        self.since = time.ticks_ms()
        self.right = (ssid, password) == (chip.wired["wifi"]["ssid"], chip.wired["wifi"]["password"])
        self.lost = False

    def disconnect(self):
        self.changed()

    def status(self):
        if self.since is None:
            return STAT_IDLE
        if not self.right:
            return STAT_WRONG_PASSWORD
        return STAT_GOT_IP if self._joined() else STAT_CONNECTING

    def isconnected(self):
        if not self._joined():
            return False
        if self.lies:
            self.lies -= 1
            chip.note(self.name, "lies")
            return False
        return True

    def _joined(self):
        wifi = chip.wired.get("wifi", {})
        if self.since is None or not self.right:
            return False
        if _exists("wifi.away"):
            self.lost = self.lost or self.met
            return False
        if self.lost and wifi.get("stuck"):
            return False
        if time.ticks_diff(time.ticks_ms(), self.since) < wifi.get("join_ms", 50):
            return False
        self.met = True
        return True


class _AccessPoint(_Interface):
    name = "access point"
    address = ("192.168.4.1", "255.255.255.0", "192.168.4.1", "0.0.0.0")
    closed = False

    def config(self, **what):
        if not 8 <= len(what.get("key", "")) <= 63:
            raise OSError("Wifi Invalid Password")
        self.closed = what.get("security") == WLAN.SEC_WPA2
        chip.note(self.name, sorted(what.items()))

    def changed(self):
        if self.up and not self.closed:
            chip.note(self.name, "open to everybody")

    def isconnected(self):
        return False


class WLAN:
    IF_STA, IF_AP = 0, 1
    SEC_OPEN, SEC_WPA2 = 0, 3
    PM_NONE = 0
    _made = {}

    def __new__(cls, which):
        if which not in cls._made:
            cls._made[which] = _AccessPoint() if which == cls.IF_AP else _Station()
        return cls._made[which]


class LAN(_Interface):
    name = "lan"
    _made = []

    def __init__(self, id=0, *, mdc=None, mdio=None, power=None, phy_addr, phy_type, spi=None, cs=None, int=None,
                 ref_clk=None, ref_clk_mode=None):  # fmt: skip
        super().__init__()
        if self._made:
            raise RuntimeError("the port would give the first one again, with its first pins")
        for pin in (mdc, mdio, power, cs, int, ref_clk):
            if not (pin is None or isinstance(pin, Pin)):
                raise TypeError("a pin-object is wanted")
        if phy_type == PHY_W5500:
            if not isinstance(spi, SPI) or cs is None or int is None:
                raise ValueError("spi, cs and int must be specified")
        elif not _first or phy_type != PHY_LAN8720:
            raise ValueError("invalid phy type")
        elif mdc is None or mdio is None:
            raise ValueError("mdc and mdio must be specified")
        if not 0 <= phy_addr <= 31:
            raise ValueError("invalid phy address")
        self._made.append(self)
        numbers = [pin and pin.number for pin in (mdc, mdio, power, cs, int, ref_clk)]
        chip.note("lan", phy_type, phy_addr, numbers, ref_clk_mode)

    def isconnected(self):
        return self.up and not _exists("cable.out")


def _exists(name):
    try:
        os.stat(name)
    except OSError:
        return False
    return True
