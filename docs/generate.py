"""Writes the tables of docs/reference from the code that uses them. `--check` only tells whether they are current."""

import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.paths import firmware_folder
from gateway.words import WordError

sys.path[:0] = [str(Path(__file__).parent), str(firmware_folder())]  # what is no package: beside this, and the node's
from pages import api, core, database, gateway_states, node_states, products, simulated, site_file, tariffs, wire  # noqa: E402

HERE = Path(__file__).parent / "reference"
NOTE = "<!-- Written by docs/generate.py: change the code, then run `make docs`. -->\n\n"


def pages() -> dict[str, str]:
    """All generated pages: file name -> text."""
    return {
        "site-file.md": NOTE + "# The site file\n\n" + "\n".join(site_file.site_file_page()),
        "devices.md": NOTE + "# Device profiles\n\n" + "\n".join(products.devices_page()),
        "profile-file.md": NOTE + "# The profile of a product\n\n" + "\n".join(products.profile_file_page()),
        "wire.md": NOTE + "# Between node and gateway\n\n" + "\n".join(wire.wire_page()),
        "reasons.md": NOTE + "# Why the gateway does what it does\n\n" + "\n".join(core.reasons_page()),
        "api.md": NOTE + "# What the gateway answers over HTTP\n\n" + "\n".join(api.api_page()),
        "database.md": NOTE + "# What the database holds\n\n" + "\n".join(database.database_page()),
        "boards.md": NOTE + "# Boards and pins\n\n" + "\n".join(wire.boards_page()),
        "tariffs.md": NOTE + "# Tariffs\n\n" + "\n".join(tariffs.tariffs_page()),
        "house-file.md": NOTE + "# The house file\n\n" + "\n".join(site_file.house_file_page()),
        "node-states.md": NOTE
        + "# States of the node, and its rare code\n\n"
        + "\n".join(node_states.node_states_page()),
        "control-states.md": NOTE + "# States of control\n\n" + "\n".join(gateway_states.control_states_page()),
        "gateway-states.md": NOTE + "# States of the gateway\n\n" + "\n".join(gateway_states.gateway_states_page()),
        "classes.md": NOTE + "# The classes of the core\n\n" + "\n".join(core.classes_page()),
        "points.md": NOTE + "# The points of devices\n\n" + "\n".join(products.points_page()),
        "scenario-file.md": NOTE + "# The scenario file\n\n" + "\n".join(simulated.scenario_file_page()),
        "faults.md": NOTE + "# Faults of the simulated building\n\n" + "\n".join(simulated.faults_page()),
    }


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with --check compare them."""
    try:
        found = pages()
    except WordError as error:
        print(f"docs: {error}")
        return 1
    old = []
    for name, text in found.items():
        path = HERE / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        old.append(name)
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
    if old:
        print("docs:", "out of date:" if "--check" in arguments else "wrote", ", ".join(old))
    return 1 if old and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
