"""Stand-in: files that survive a power cut."""

import os


def save(name, text):
    with open(name + ".new", "w") as file:
        file.write(text)
    try:
        os.rename(name, name + ".old")
    except OSError:
        pass
    os.rename(name + ".new", name)


def load(name, check):
    for copy in (name, name + ".old"):
        try:
            with open(copy) as file:
                return check(file.read())
        except (OSError, ValueError):
            pass
    raise OSError(2)
