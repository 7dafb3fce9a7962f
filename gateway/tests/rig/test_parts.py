"""What counts as a part, which of several is taken, and what is said when there is none."""

import pytest

from gateway.rig import chromium, compilers, debian, influxd, micropython, mosquitto
from gateway.rig.part import FetchError, Machine, Missing, Part
from gateway.rig.parts import FETCHERS, FINDERS, find_or_fetch

MICROPYTHON_32 = "echo 'micropython (1, 25, 0, \"\") 2147483647'"
MICROPYTHON_64 = "echo 'micropython (1, 28, 0, \"\") 9223372036854775807'"


@pytest.fixture(autouse=True)
def only_the_made_up_machine(monkeypatch, tmp_path):
    monkeypatch.setattr(mosquitto, "SYSTEM_FOLDERS", ())
    monkeypatch.setattr(micropython.sysconfig, "get_path", lambda _: str(tmp_path / "no-scripts"))


def machine(tmp_path, *folders, **environment):
    path = ":".join(map(str, folders))
    return Machine(environment={"PATH": path, **environment}, cache=tmp_path / "cache")


@pytest.mark.parametrize(
    ("part", "program", "answer", "version", "bits"),
    [
        (mosquitto, "mosquitto", "echo 'mosquitto version 2.0.21'; exit 3", "2.0.21", None),
        (micropython, "micropython", MICROPYTHON_32, "1.25.0", 32),
        (micropython, "micropython", MICROPYTHON_64, "1.28.0", 64),
        (influxd, "influxd", "echo 'InfluxDB v2.7.12 (git: ec9dcde5d6)'", "2.7.12", None),
        (influxd, "influxd", "echo 'InfluxDB 2.6.1 (git: x)'", "2.6.1", None),
        (chromium, "chromium", "echo 'Chromium 140.0.7339.80 built on Debian'", "140.0.7339.80", None),
        (chromium, "google-chrome", "echo 'Google Chrome 141.0.1.2 '", "141.0.1.2", None),
    ],
)
def test_a_program_in_the_path_is_asked_for_its_version(tmp_path, fake_program, part, program, answer, version, bits):
    folder = fake_program(program, answer)
    found = part.find(machine(tmp_path, folder))
    assert isinstance(found, Part)
    assert (found.path, found.version, found.bits) == (folder / program, version, bits)


@pytest.mark.parametrize(
    ("part", "program", "answer", "why"),
    [
        (mosquitto, "mosquitto", "echo 'mosquitto version 1.6.12'", "version 1.6.12, needed is 2.0 or later"),
        (micropython, "micropython", "echo 'micropython (1, 22, 2) 9223372036854775807'", "needed is 1.25"),
        (micropython, "micropython", "exit 126", "does not run a line of Python"),
        (influxd, "influxd", "echo 'InfluxDB v1.6.7 (git: unknown)'", "version 1.6.7, needed is 2.x"),
        (chromium, "chromium", "echo hello", "does not report its version"),
    ],
)
def test_a_program_that_does_not_serve_is_refused_with_the_reason(tmp_path, fake_program, part, program, answer, why):
    found = part.find(machine(tmp_path, fake_program(program, answer)))
    assert isinstance(found, Missing)
    assert why in found.why
    assert found.remedy


@pytest.mark.parametrize("name", FINDERS)
def test_a_machine_without_anything_has_every_part_missing_with_a_remedy(tmp_path, name):
    found = FINDERS[name](machine(tmp_path))
    assert found == Missing(name=name, why="not found", remedy=found.remedy)
    assert f"ZEN_{name.upper()}=" in found.remedy


def test_the_variable_decides_alone(tmp_path, fake_program):
    folder = fake_program("mosquitto", "echo 'mosquitto version 2.0.11'")
    wrong = machine(tmp_path, folder, ZEN_MOSQUITTO=str(tmp_path / "nowhere"))
    assert mosquitto.find(wrong).why == f"{tmp_path / 'nowhere'}: No such file or directory"
    assert mosquitto.find(machine(tmp_path, ZEN_MOSQUITTO=str(folder / "mosquitto"))).how == "ZEN_MOSQUITTO"


def test_a_part_can_be_switched_off_and_is_then_not_fetched(tmp_path, fake_program):
    folder = fake_program("mosquitto", "echo 'mosquitto version 2.0.11'")
    off = machine(tmp_path, folder, ZEN_MOSQUITTO="none")
    found = find_or_fetch("mosquitto", off, pytest.fail)
    assert found.why == "switched off by ZEN_MOSQUITTO=none"


def test_a_32_bit_interpreter_in_the_cache_goes_before_the_path(tmp_path, fake_program, monkeypatch):
    monkeypatch.setattr(micropython, "ARCHITECTURES", {micropython.platform.machine(): ("i386",)})
    here = machine(tmp_path, fake_program("micropython", MICROPYTHON_64))
    kept = here.cache / "micropython-trixie-i386" / "micropython"
    kept.parent.mkdir(parents=True)
    kept.write_text(f"#!/bin/sh\n{MICROPYTHON_32}\n")
    kept.chmod(0o755)
    assert (micropython.find(here).bits, micropython.find(here).path) == (32, kept)


@pytest.mark.parametrize(
    ("script", "variable", "fetched"),
    [(MICROPYTHON_64, None, True), (MICROPYTHON_32, None, False), (MICROPYTHON_64, "ZEN_MICROPYTHON", False)],
)
def test_a_64_bit_interpreter_is_left_for_a_32_bit_one_unless_it_was_wished(
    tmp_path, fake_program, monkeypatch, script, variable, fetched
):
    monkeypatch.setattr(micropython, "ARCHITECTURES", {micropython.platform.machine(): ("i386", "amd64")})
    folder = fake_program("micropython", script)
    monkeypatch.setenv("PATH", str(tmp_path / "no-apt-get"))
    said = []
    wish = {variable: str(folder / "micropython")} if variable else {}
    found = find_or_fetch("micropython", machine(tmp_path, folder, **wish), said.append)
    assert bool(said) is fetched
    assert found.path == folder / "micropython"  # nothing better came, so what is there serves


def test_the_next_program_in_the_path_is_tried_when_the_first_is_too_old(tmp_path, fake_program):
    old = fake_program("mosquitto", "echo 'mosquitto version 1.5.7'")
    new = tmp_path / "sbin"
    new.mkdir()
    (new / "mosquitto").write_text("#!/bin/sh\necho 'mosquitto version 2.0.18'\n")
    (new / "mosquitto").chmod(0o755)
    assert mosquitto.find(machine(tmp_path, old, new)).version == "2.0.18"


@pytest.mark.parametrize("name", ["mosquitto", "micropython"])
def test_what_apt_refuses_is_reported_in_its_own_words_and_leaves_nothing(tmp_path, fake_program, monkeypatch, name):
    folder = fake_program("apt-get", "echo 'E: Unable to locate package' >&2; exit 100")
    monkeypatch.setenv("PATH", str(folder))
    here = machine(tmp_path, ZEN_DEBIAN_MIRROR="http://mirror.invalid/debian")
    found = FETCHERS[name](here, lambda _: None)
    assert isinstance(found, Missing)
    assert "E: Unable to locate package" in found.why
    assert list(here.cache.iterdir()) == []


def test_a_machine_without_apt_is_reported_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt-get is not on this machine" in mosquitto.fetch(machine(tmp_path), lambda _: None).why


def test_the_mirror_is_the_one_the_machine_uses(tmp_path, monkeypatch):
    monkeypatch.setattr(debian, "SOURCES", tmp_path)
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text("# deb http://old.invalid/debian stretch main\n")
    with pytest.raises(FetchError, match="ZEN_DEBIAN_MIRROR"):
        debian.mirror({})
    (tmp_path / "sources.list.d" / "debian.sources").write_text(
        "Types: deb\nURIs: https://mirror.invalid/debian/\nSuites: trixie\n"
    )
    assert debian.mirror({}) == "https://mirror.invalid/debian"
    (tmp_path / "sources.list").write_text("deb [signed-by=/k.gpg] http://near.invalid/debian trixie main\n")
    assert debian.mirror({}) == "http://near.invalid/debian"
    assert debian.mirror({"ZEN_DEBIAN_MIRROR": "http://wish.invalid/d"}) == "http://wish.invalid/d"


def test_the_database_is_copied_out_of_its_image_where_docker_runs(tmp_path, fake_program, monkeypatch):
    # Stands for docker: a volume is a folder, and the image holds a server of version 2.7.11.
    docker = r"""
[ "$1" = info ] && exit 0
while [ "$1" != --volume ]; do shift; done
out=${2%:/out}
printf '#!/bin/sh\necho "InfluxDB v2.7.11"\n' > "$out/influxd" && chmod +x "$out/influxd"
"""
    monkeypatch.setenv("PATH", f"{fake_program('docker', docker)}:/usr/bin:/bin")
    here = machine(tmp_path)
    found = influxd.fetch(here, lambda _: None)
    assert (found.version, found.path) == ("2.7.11", here.cache / "influxd-2.7.12" / "influxd")


def test_without_docker_and_compilers_the_database_is_missing_with_both_reasons(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = influxd.fetch(machine(tmp_path), lambda _: None)
    assert found.why.startswith("docker is not on this machine; it cannot be compiled here: cc is missing")
    assert all(name in found.why for name in ("go is missing", "cargo is missing: https://rustup.rs"))


def test_the_interpreter_that_is_here_has_the_heap_it_is_given(micropython, tmp_path):
    # 112 Ki words of 32 bits: 112,000 bytes as gc counts them on 32 bits, twice as much on 64.
    from gateway.rig.part import ask  # noqa: PLC0415

    text = "import gc; gc.collect(); print(gc.mem_free() + gc.mem_alloc())"
    heap = int(ask(micropython.path, "-X", "heapsize=112wk", "-c", text))
    assert 0.95 < heap / (112 * 1024 * micropython.bits / 32) <= 1.0


TOOLS = {"go": "echo 'go version go1.24.1 linux/amd64'", "cargo": "echo 'cargo 1.95.0'", "cc": "exit 0"}
UNSET = "echo 'error: no default toolchain is configured' >&2; exit 1"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, []),
        ({"cargo": None}, ["cargo is missing: https://rustup.rs"]),
        ({"cargo": UNSET, "rustup": UNSET}, ["no default toolchain is configured): rustup default stable"]),
        ({"go": "echo 'go version go1.19.8 linux/amd64'"}, ["go is 1.19, needed is 1.23 or newer"]),
        ({"go": None, "cc": None}, ["cc is missing", "go is missing"]),
    ],
)
def test_what_compiling_needs_is_looked_for_first(monkeypatch, tmp_path, fake_program, changes, says):
    for name, script in {**TOOLS, **changes}.items():
        if script is not None:
            fake_program(name, script)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    found = list(compilers.lacking(tmp_path))
    assert len(found) == len(says)
    assert all(text in line for text, line in zip(says, found, strict=True))


def test_a_failed_compilation_names_its_cause():
    lines = ["github.com/x", "warning: unused", "error[E0463]: can't find crate for `core`", "note: the target may not"]
    assert influxd.cause([*lines, "warning: 3 warnings emitted"]) == "error[E0463]: can't find crate for `core`"
    assert influxd.cause(["a", "killed"]) == "a / killed"
    assert influxd.cause([]) == "it said nothing"
