"""Nothing is kept in the core that the running gateway does not use."""

import ast
from pathlib import Path

import gateway

ROOT = Path(gateway.__file__).parent
# The gateway, and the program that makes its plans in a process of its own.
PROGRAMS = ("gateway.app", "gateway.planning.worker")
# Modules of the core that neither imports, each with the reason why it is there all the same.
ELSEWHERE: dict[str, str] = {
    "gateway.core.accounts.bill": "`zen bill` makes bills of what the gateway has counted",
    "gateway.core.accounts.bill_parts": "as the bill",
    "gateway.core.accounts.spans": "as the bill",
    "gateway.core.accounts.period": "sums over the accounts are made by who asks for them",
    "gateway.core.accounts.storage": "as the sums",
}


def modules() -> dict[str, Path]:
    files = [file for file in ROOT.rglob("*.py") if "tests" not in file.relative_to(ROOT).parts]
    names = (".".join(("gateway", *file.relative_to(ROOT).with_suffix("").parts)) for file in files)
    return {name.removesuffix(".__init__"): file for name, file in zip(names, files, strict=True)}


def imported(file: Path) -> set[str]:
    """Names that may be modules, wherever in the file the import stands."""
    found: set[str] = set()
    folders = ("gateway", *file.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = folders[: len(folders) - node.level + 1] if node.level else ()
            base = ".".join((*above, *(node.module or "").split("."))).strip(".")
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


def reached(programs: tuple[str, ...], files: dict[str, Path]) -> set[str]:
    """The modules that the programs import, and the packages in which they lie."""
    seen: set[str] = set()
    waiting = list(programs)
    while waiting:
        name = waiting.pop()
        if name in files and name not in seen:
            seen.add(name)
            names = imported(files[name])
            waiting += [name.rpartition(".")[0], *names]
            if "pkgutil.iter_modules" in names:  # a registry: it imports the modules of its own package
                waiting += [one for one in files if one.rpartition(".")[0] == name]
    return seen


def test_the_gateway_reaches_every_module_of_the_core_but_those_with_a_reason() -> None:
    files = modules()
    core = {name for name in files if name.startswith("gateway.core")}
    assert len(core) > 50
    assert core - reached(PROGRAMS, files) == set(ELSEWHERE)


def test_what_only_a_study_imports_is_not_reached() -> None:
    files = modules()
    bench = "gateway.study.benches.citylearn.grid_recursion"
    assert bench in reached(("gateway.study.benches.citylearn.control",), files)
    assert bench not in reached(PROGRAMS, files)


def test_relative_imports_are_followed() -> None:
    assert "gateway.wire.seal" in reached(("gateway.wire.sealing",), modules())
