"""The hardware on an ESP32: UART with optional driver-enable pin, Wi-Fi, SNTP."""

import asyncio
import gc
import socket
import struct

import machine
import network as net
from micropython import const

_EPOCH_2000_NTP = const(3155673600)  # 2000-01-01 on the scale of NTP, which begins in 1900
PARITY = {"N": None, "E": 0, "O": 1}
_WIFI_CHECK_MS = const(5000)


class Line:
    """An RS485 line; `where` is {"uart", "tx", "rx"} and "de" unless the transceiver finds its direction itself."""

    def __init__(self, where, bus):
        self.uart = machine.UART(
            where["uart"],
            baudrate=bus["baud"],
            bits=bus.get("bits", 8),
            parity=PARITY[bus.get("parity", "N")],
            stop=bus.get("stop", 1),
            tx=where["tx"],
            rx=where["rx"],
            rxbuf=512,  # a full buffer would slow every read down
            timeout=0,
            timeout_char=0,
        )
        self.de = machine.Pin(where["de"], machine.Pin.OUT, value=0) if "de" in where else None
        self.stream = asyncio.StreamReader(self.uart)

    def write(self, frame):
        if self.de is None:
            self.uart.write(frame)
            return
        gc.collect()  # none may come between the last bit and letting go of the line
        self.de(1)
        self.uart.write(frame)
        self.uart.flush()
        self.de(0)

    def readinto(self, buffer):
        """Bytes that are already there, else None."""
        return self.uart.readinto(buffer)

    def close(self):
        self.uart.deinit()


async def network(conf):
    """Keeps the Wi-Fi joined; the broker plays no part in it."""
    wlan = net.WLAN(net.STA_IF)
    net.hostname(conf["node"])
    wlan.active(True)
    while True:
        if not wlan.isconnected():
            wlan.disconnect()
            wlan.connect(conf["wifi"]["ssid"], conf["wifi"]["password"])
        await asyncio.sleep_ms(_WIFI_CHECK_MS)


async def utc(conf):
    """(seconds since 2000, ms) from the SNTP server `ntp`, else the broker's machine; OSError or TimeoutError."""
    address = socket.getaddrinfo(conf.get("ntp", conf["broker"]["host"]), 123)[0][-1]
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.sendto(b"\x1b" + bytes(47), address)
        answer = await asyncio.wait_for_ms(asyncio.StreamReader(sock).read(48), 2000)
    finally:
        sock.close()
    seconds, fraction = struct.unpack_from(">II", answer, 40)
    return seconds - _EPOCH_2000_NTP, (fraction >> 16) * 1000 >> 16


def reset():
    machine.reset()
