"""Draw docs/architecture.svg: the rooms of ablate/, and who imports whom, read from the code.

    python docs/architecture.py

Rows are the layers of the import contract in pyproject.toml: each room imports rooms further down
alone. What follows from others (a imports b, b imports c) is not named again.
"""

from __future__ import annotations

import ast
import tomllib
from html import escape
from itertools import product
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
WIDTH, ROW, BOX, GAP = 1120, 74, 64, 14  # pixels


def layers() -> list[list[str]]:
    """Return the rooms, row by row from the top."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = content["tool"]["importlinter"]["contracts"]
    (rows,) = (one["layers"] for one in contracts if one["type"] == "layers")
    return [[room.strip() for room in row.split("|")] for row in rows]


def imported(rooms: list[str]) -> set[tuple[str, str]]:
    """Return who imports whom, in pairs, without what follows from others."""
    graph = grimp.build_graph("ablate")
    for room in rooms:
        if f"ablate.{room}" in graph.modules and graph.find_children(f"ablate.{room}"):
            graph.squash_module(f"ablate.{room}")
    direct = {
        (a, b)
        for a, b in product(rooms, rooms)
        if a != b and graph.direct_import_exists(importer=f"ablate.{a}", imported=f"ablate.{b}")
    }
    follows = {(a, c) for (a, b), (other, c) in product(direct, direct) if b == other}
    while further := {(a, c) for (a, b), (o, c) in product(follows, direct) if b == o} - follows:
        follows |= further
    return direct - follows


def about(room: str) -> str:
    """Return a room's first line of documentation."""
    folder, file = ROOT / "ablate" / room, ROOT / "ablate" / f"{room}.py"
    doc = ast.get_docstring(
        ast.parse((folder / "__init__.py" if folder.is_dir() else file).read_text())
    )
    return (doc or "").splitlines()[0]


def draw() -> str:
    """Return the picture."""
    rows = layers()
    places: dict[str, tuple[float, float, float]] = {}
    shapes = []
    for n, row in enumerate(rows):
        width = (WIDTH - GAP * (len(row) + 1)) / len(row)
        for m, room in enumerate(row):
            x, y = GAP + m * (width + GAP), GAP + n * ROW
            places[room] = (x, y, width)
    imports = imported([room for row in rows for room in row])
    for room, (x, y, w) in places.items():
        doc = about(room)
        below = ", ".join(b for b in places if (room, b) in imports)
        below = f"imports {below}" if below else "imports nothing of ours"
        most = int(w / 6.6)
        doc = doc if len(doc) <= most else doc[: most - 1].rsplit(" ", 1)[0] + " …"
        shapes.append(
            f'<rect x="{x:.0f}" y="{y}" width="{w:.0f}" height="{BOX}" rx="5"/>'
            f'<text x="{x + 10:.0f}" y="{y + 18}"><tspan class="name">{room}</tspan></text>'
            f'<text x="{x + 10:.0f}" y="{y + 36}" class="doc">{escape(doc)}</text>'
            f'<text x="{x + 10:.0f}" y="{y + 54}">{escape(below)}</text>'
        )
    height = GAP + len(rows) * ROW
    style = (
        "text{font:12px sans-serif;fill:#555}.name{font-weight:bold;fill:#111}.doc{fill:#333}"
        "rect{fill:#f4f6fa;stroke:#8da2c0}"
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}">'
        f"<style>{style}</style>"
        f'<rect width="{WIDTH}" height="{height}" style="fill:#fff;stroke:none"/>'
    )
    return "\n".join([head, *shapes, "</svg>", ""])


if __name__ == "__main__":
    (ROOT / "docs" / "architecture.svg").write_text(draw())
