"""What a computer does in the place of a board once: its watchdog, its lamp and button, who it is."""

import os


class Watchdog:
    """Ends the process with SIGALRM unless it is fed in time: whole seconds, and at least `ms`."""

    def __init__(self, ms):
        import ffi

        self.seconds = -(-ms // 1000)
        self.alarm = ffi.open(None).func("I", "alarm", "I")
        self.feed()

    def feed(self):
        self.alarm(self.seconds)


def watchdog(ms):
    """None for 0."""
    return Watchdog(ms) if ms else None


def led(pin):
    """A function(on); `pin` is a file that says 1 or 0."""
    return (lambda _on: None) if pin is None else lambda on: write(str(pin), "1" if on else "0")


def button(pin):
    """A function that says whether it is pressed, which is whether the file `pin` is there."""
    return (lambda: False) if pin is None else lambda: exists(str(pin))


def access_point(_name, _code, _on):
    """A computer opens no network."""


def set_clock(_s):
    """The system keeps its own clock."""


def uid():
    """Of this machine, 12 hex digits; zeros where it has none."""
    return read("/etc/machine-id")[:12] or "000000000000"


def reset_cause():
    """Nobody tells a program why it was started."""
    return "power"


def exists(name):
    try:
        os.stat(name)
    except OSError:
        return False
    return True


def read(name):
    try:
        with open(name) as file:
            return file.read()
    except OSError:
        return ""


def write(name, text):
    with open(name, "w") as file:
        file.write(text)
