"""Which benches make up the published page: every window, in order. Nothing is chosen by its result."""

from dataclasses import dataclass
from pathlib import Path

HOME = Path("fr_home_30min/home_2024-03_2024-09.csv")
SOLARHOME = Path("solarhome_bench/load_pv_2011-10-29_2011-12-31.csv")
CITYLEARN = Path("citylearn2022")
MINUTE_LOAD = Path("household_1min/lpg_chr01_2021.parquet")
MINUTE_PV = Path("pv_weather/aachen_10min_2021.parquet")

HOME_STARTS = ("2024-03-15", "2024-04-12", "2024-05-01", "2024-06-01", "2024-07-01", "2024-08-01", "2024-09-01")
MINUTE_STARTS = ("2021-02-08", "2021-04-12", "2021-06-07", "2021-09-20", "2021-11-08")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """`zen bench` and `words`; a Path among them lies in the folder of data. Its result is `name`.json."""

    name: str
    words: tuple[str | Path, ...]

    @property
    def command(self) -> str:
        """The subcommand."""
        return str(self.words[0])

    @property
    def files(self) -> list[Path]:
        """What it reads."""
        return [word for word in self.words if isinstance(word, Path)]

    def arguments(self, data: Path) -> list[str]:
        """All words behind `zen bench`, but for the file of results."""
        return [str(data / word) if isinstance(word, Path) else word for word in self.words]


def _home(start: str) -> Bench:
    return Bench(name=f"home-{start}", words=("home", "--data", HOME, "--start", start, "--days", "28"))


def _minute(start: str, *, ideal: bool = False) -> Bench:
    files: tuple[str | Path, ...] = ("--load", MINUTE_LOAD, "--pv", MINUTE_PV)
    delay = ("--delay", "0") if ideal else ()
    name = f"minute-{start}{'-ideal' if ideal else ''}"
    return Bench(name=name, words=("minute", *files, "--start", start, "--days", "28", *delay))


BENCHES = (
    Bench(name="solarhome", words=("solarhome", "--data", SOLARHOME)),
    *(_home(start) for start in HOME_STARTS),
    Bench(name="peers", words=("peers", "--data", HOME, "--days", "28")),
    *(_minute(start) for start in MINUTE_STARTS),
    *(_minute(start, ideal=True) for start in MINUTE_STARTS),
    Bench(name="closed-loop", words=("closed-loop",)),
    Bench(name="plan", words=("plan",)),
    Bench(name="study", words=("study", "--load", MINUTE_LOAD, "--pv", MINUTE_PV)),
    Bench(name="citylearn", words=("citylearn", "--dir", CITYLEARN)),
    Bench(name="citylearn-inside", words=("citylearn", "--dir", CITYLEARN, "--inside-hour")),
)
