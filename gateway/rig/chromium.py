"""A browser for looking at the page as a person would: found, never fetched."""

import re

from gateway.rig.part import Candidate, Machine, Missing, NotWorkingError, Part, ask, choose

NAME = "chromium"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
REMEDY = "apt-get install chromium (as root), or ZEN_CHROMIUM=/path/to/chromium"


def find(machine: Machine) -> Part | Missing:
    """The browser of ZEN_CHROMIUM or the machine."""
    return choose(name=NAME, machine=machine, candidates=machine.in_path(*NAMES), probe=probe, remedy=REMEDY)


def probe(candidate: Candidate) -> Part:
    """Anything that calls itself Chromium or Chrome speaks the debugging protocol we use."""
    found = re.search(r"(?:Chromium|Chrome)\D* (\d[\d.]+)", ask(candidate.path, "--version"))
    if not found:
        raise NotWorkingError("does not report its version")
    return Part(name=NAME, path=candidate.path, version=found[1], how=candidate.how)
