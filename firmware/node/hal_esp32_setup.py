"""What a board does once: join its network, open its own, report its number and why it started."""

import asyncio
import sys
import time
from binascii import hexlify

import machine
import network as net
from micropython import const
from node.hal_esp32 import Line

_TYPES = const(0)  # mypy takes it for true: names that only annotations need cost a board nothing
if _TYPES:
    from typing import Any

    from kinds import Conf, Spec

_PARITY = {"N": None, "E": 0, "O": 1}
_CAUSES = {
    machine.PWRON_RESET: "power",  # a brown-out too
    machine.HARD_RESET: "reset",
    machine.WDT_RESET: "watchdog",
    machine.DEEPSLEEP_RESET: "sleep",
    machine.SOFT_RESET: "soft",
}


def line(where: "Spec", bus: "Spec") -> "Line":
    """A serial line; `where` is {"uart", "tx", "rx"}, and "de" unless the transceiver finds its direction itself."""
    uart = machine.UART(
        where["uart"],
        baudrate=bus["baud"],
        bits=bus.get("bits", 8),
        parity=_PARITY[bus.get("parity", "N")],
        stop=bus.get("stop", 1),
        tx=where["tx"],  # always: the port's own choice may be a pin in use, or one of the flash
        rx=where["rx"],
        rxbuf=512,  # a full buffer would slow every read down
    )
    uart.irq(bool, machine.UART.IRQ_RXIDLE)  # it only wakes: else an answer waits for the next tick of 10 ms
    return Line(uart, machine.Pin(where["de"], machine.Pin.OUT, value=0) if "de" in where else None)


def console() -> "asyncio.StreamReader":
    """The bytes typed at the USB or first serial port; read one at a time, for more would block until all are there."""
    return asyncio.StreamReader(sys.stdin.buffer)


def watchdog(ms: int) -> "machine.WDT | None":
    """Resets the board unless its `feed()` is called within `ms`, for ever; None for 0."""
    return machine.WDT(timeout=ms) if ms else None


def led(pin: int | None) -> "Any":
    """A function(on); `bool`, which does nothing, for the lamp that is not there."""
    return bool if pin is None else machine.Pin(pin, machine.Pin.OUT, value=0)


def button(pin: int | None) -> "Any":
    """A function that says whether it is pressed, which connects the pin to ground."""
    if pin is None:
        return bool  # False: it is never pressed
    contact = machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP)
    return lambda: not contact()


def interface(conf: "Conf") -> "Any":
    """The network of node.json: `eth` if there is one, else `wifi`; its address is `ip` if given, else from DHCP."""
    net.hostname(conf["node"])  # before the interface is active, or DHCP does not learn it
    where = conf.get("eth") or conf["wifi"]
    nic: "Any" = _ethernet(where) if "eth" in conf else net.WLAN(net.WLAN.IF_STA)
    if "eth" not in conf:
        nic.active(False)  # whatever state it is in
    nic.active(True)
    if "ip" in where:
        nic.ifconfig(tuple(where["ip"]))  # address, mask, gateway, name server
    if "eth" not in conf:
        nic.config(pm=net.WLAN.PM_NONE)  # asleep, it would miss answers
        nic.connect(where["ssid"], where["password"])
    return nic


def _ethernet(where: "Spec") -> "net.LAN":
    """`phy` LAN8720 at the chip's own MAC, or W5500 at an SPI bus."""
    chip = {"phy_type": getattr(net, "PHY_" + where["phy"]), "phy_addr": where["addr"]}
    pins = ["mdc", "mdio", "power"]
    if where["phy"] == "W5500":
        pins = ["cs", "int"]
        if "reset" in where:
            wire = machine.Pin(where["reset"], machine.Pin.OUT, value=0)
            time.sleep_ms(1)  # at least 500 us (W5500 datasheet 1.0.9, 5.5.1)
            wire(1)
            time.sleep_ms(60)
        sck, mosi, miso = (machine.Pin(where[name]) for name in ("sck", "mosi", "miso"))
        chip["spi"] = machine.SPI(where["spi"], baudrate=20000000, sck=sck, mosi=mosi, miso=miso)
    for name in pins:
        if name in where:
            chip[name] = machine.Pin(where[name])
    if "clock" in where:  # the 50 MHz come from another chip
        chip["ref_clk"] = machine.Pin(where["clock"])
        chip["ref_clk_mode"] = machine.Pin.IN
    return net.LAN(0, **chip)


def access_point(name: str, code: str, on: bool) -> None:
    """A network of our own at 192.168.4.1, closed with WPA2 from its first moment; `code` has 8 to 63 characters."""
    nic = net.WLAN(net.WLAN.IF_AP)
    if on:
        nic.config(ssid=name, key=code, security=net.WLAN.SEC_WPA2, max_clients=2)
    nic.active(on)


def set_clock(s: int) -> None:
    """The chip's own clock, in seconds since 2000: certificates are compared with it. Not for a running node."""
    year, month, day, hour, minute, second, weekday, _ = time.gmtime(s)[:8]
    machine.RTC().datetime((year, month, day, weekday, hour, minute, second, 0))


def uid() -> str:
    """The chip's number in hex."""
    return hexlify(machine.unique_id()).decode()


def reset_cause() -> str:
    """Why the board started: power, reset, watchdog, sleep, soft, or unknown."""
    return _CAUSES.get(machine.reset_cause(), "unknown")
