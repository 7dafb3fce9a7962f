"""The sections of the page in their order: title, picture, and what is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """`drawing` is a file of `pictures`."""

    title: str
    drawing: str
    words: str


SECTIONS = (
    Section(
        title="Solar home",
        drawing="solarhome.svg",
        words="The published control bench of a solar home: 4 kWp, 8 kWh without losses, 30 days.",
    ),
    Section(
        title="French home",
        drawing="home.svg",
        words="8 kWh and 4 kW, 0.95 each way; HP/HC, surplus 0.04 EUR/kWh; half-hours.",
    ),
    Section(
        title="Beside EMHASS",
        drawing="peers.svg",
        words=(
            "The same home and days under EMHASS, planning each half-hour, in one run. *Simple forecasts* are those\n"
            "of the earlier measurement (load: mean of seven days, PV: of three); *our forecasts* are the mean of our\n"
            "scenarios. The power of its plan is held for the half-hour; the first half-hour is known to all.\n"
            "`zen bench peers` makes an environment for EMHASS 0.18.7 and one for oemof.solph 0.6.5 (MIT; 1.4 GB)\n"
            "in the user's cache the first time; without a package index the page says so."
        ),
    ),
    Section(
        title="Scored at one minute",
        drawing="minute.svg",
        words="Plans of 15 minutes, scored minute by minute with the loop's delay; a load profile and a roof of 5 kWp.",
    ),
    Section(
        title="Closed loop",
        drawing="closed-loop.svg",
        words="The one-second loop beside laws that others use, with meters that are late.",
    ),
    Section(
        title="CityLearn Challenge 2022",
        drawing="citylearn.svg",
        words="Homes 1 to 5, a year of hours; without batteries = 1, less is better.",
    ),
    Section(
        title="Time of a plan",
        drawing="speed.svg",
        words=(
            "96 quarter-hours, one plan after the other in one run, each on one thread, battery alone where nothing\n"
            "is said; *with car and tank*: 11 kWh for a car and 4.8 kWh for hot water beside it, on or off in EMHASS.\n"
            "Every plan is of another day, and the first one only warms up and is not counted. Ours weighs all\n"
            "scenarios and gives levels with reasons; the others solve their mean. Multiples are of the processor's\n"
            "time."
        ),
    ),
)
