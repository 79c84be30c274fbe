"""Sections of a benchmark: run, printed, stored, and written as a page of the docs."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spicesnn.engine.installation import find_installation

ROOT = Path(__file__).resolve().parent.parent
Row = dict[str, Any]
Section = Callable[[bool], list[Row]]


def row(
    name: str, value: float, unit: str = "1", goal: str = "", holds: bool | None = None,
    published: float | None = None,
) -> Row:  # fmt: skip
    """One row; four figures are enough."""
    return {
        "name": name, "value": float(f"{value:.4g}"), "unit": unit, "goal": goal,
        "published": published, "holds": None if holds is None else bool(holds),
    }  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A benchmark's sections, in order.

    Attributes:
        name: of the file in `benchmarks/results/`.
        page_name: of the page in `docs/`.
        title, intro: of that page.
        sections: by name; each takes whether it is to be quick.
        identities: what a section simulated, hashed, for the sections that say so.
    """

    name: str
    page_name: str
    title: str
    intro: str
    sections: Mapping[str, Section]
    identities: Callable[[], dict[str, str]]

    def main(self, description: str | None, given: Sequence[str] | None = None) -> None:
        """The command line, or what of it is given."""
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument("--quick", action="store_true", help="smaller and fewer; says so")
        parser.add_argument("--json", action="store_true", help="rows as JSON on standard output")
        parser.add_argument("--only", default="", help="sections by name, separated by commas")
        arguments = parser.parse_args(given)
        wanted = [name for name in arguments.only.split(",") if name]
        unknown = set(wanted) - set(self.sections)
        if unknown:
            parser.error(f"no section {', '.join(unknown)}; there are {', '.join(self.sections)}")
        rows: list[Row] = []
        for name, section in self.sections.items():
            if wanted and name not in wanted:
                continue
            began = time.perf_counter()
            new = section(arguments.quick)
            rows += new
            if not arguments.quick:
                self._store(name, new)
            if not arguments.json:
                took = time.perf_counter() - began
                reduced = ", reduced" if arguments.quick else ""
                print(f"{name} ({took:.0f} s{reduced})", flush=True)
                for each in new:
                    held = {True: "holds", False: "DOES NOT HOLD", None: ""}[each["holds"]]
                    print(f"  {each['name']}: {each['value']} {each['unit']} {each['goal']} {held}")
        if arguments.json:
            print(json.dumps(rows, indent=2))

    def page(self, stored: Mapping[str, Any]) -> str:
        """The docs' page of what is stored."""
        lines = [f"# {self.title}", "", *self.intro.splitlines()]
        for name in (name for name in self.sections if name in stored):
            lines += ["", f"## {name}", "", _first_line(self.sections[name]), ""]
            lines += ["| what | value | goal | holds |", "|---|---|---|---|"]
            for each in stored[name]["rows"]:
                unit = "" if each["unit"] == "1" else f" {each['unit']}"
                holds = {True: "yes", False: "**no**", None: ""}[each["holds"]]
                value = f"{each['value']:g}{unit}"
                lines.append(f"| {each['name']} | {value} | {each['goal']} | {holds} |")
            lines += ["", f"ngspice: {stored[name]['ngspice']}"]
        return "\n".join(lines) + "\n"

    def _store(self, section: str, rows: list[Row]) -> None:
        """Put one section's rows into the stored results, and write the page anew."""
        results = ROOT / "benchmarks" / "results" / self.name
        known = json.loads(results.read_text(encoding="utf-8")) if results.exists() else {}
        known[section] = {
            "ngspice": find_installation().version_text,
            "identity": self.identities().get(section),
            "rows": rows,
        }
        text = json.dumps(dict(sorted(known.items())), indent=1) + "\n"
        results.parent.mkdir(exist_ok=True)
        part = results.with_suffix(".part")
        part.write_text(text, encoding="utf-8")
        part.replace(results)
        (ROOT / "docs" / self.page_name).write_text(self.page(known), encoding="utf-8")


def _first_line(section: Section) -> str:
    """Of what a section says of itself; of the function within a partial one."""
    return (getattr(section, "func", section).__doc__ or "").split("\n")[0]
