"""The hardware on an ESP32: UART with optional driver-enable pin, Wi-Fi."""

import asyncio
import gc

import machine
import network as net
from micropython import const

PARITY = {"N": None, "E": 0, "O": 1}
_WIFI_CHECK_MS = const(5000)


class Line:
    """An RS485 line; `where` is {"uart", "tx", "rx"} and "de" unless the transceiver finds its direction itself."""

    def __init__(self, where, bus):
        self.uart = machine.UART(
            where["uart"],
            baudrate=bus["baud"],
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


def reset():
    machine.reset()
