"""Who is compared: each line of the table, where it lives, and under which licence."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ENVIRONMENTS = ROOT / ".venv-peers"

OURS = "semblance"


@dataclass(frozen=True)
class Line:
    """One generator as it is run.

    Attributes:
        adapter: The script under adapters/ that calls it, in the environment of the same name as `requirements`.
        requirements: The file of pinned versions; `OURS` is the environment this script runs in.
        package: The distribution whose version is shown.
        settings: What the adapter is told beyond rows and seed.
        limit: CPU seconds it may take for one table.
        less: Epochs for a table on which the default number would overrun the limit.
    """

    name: str
    adapter: str
    requirements: str
    package: str
    licence: str
    about: str
    settings: dict[str, str | int] = field(default_factory=dict)
    limit: int = 1200
    less: dict[str, int] = field(default_factory=dict)

    def on(self, table: str) -> Line:
        """As it is run on that table."""
        return replace(self, settings={**self.settings, "epochs": self.less[table]}) if table in self.less else self

    @property
    def script(self) -> Path:
        return HERE / "adapters" / f"{self.adapter}.py"

    @property
    def pins(self) -> Path:
        return HERE / f"{self.requirements}.txt"

    @property
    def python(self) -> Path:
        return Path(sys.executable) if self.requirements == OURS else ENVIRONMENTS / self.requirements / "bin/python"


def ours(name: str, about: str) -> Line:
    return Line(name, OURS, OURS, OURS, "Apache-2.0", about, {"generator": name})


def sdv(name: str, synthesiser: str, about: str, **less: int) -> Line:
    return Line(name, "sdv", "sdv", "sdv", "BUSL-1.1", about, {"synthesiser": synthesiser}, less=less)


LINES = {
    line.name: line
    for line in (
        ours("chain", "defaults"),
        ours("vae", "defaults, on the CPU"),
        ours("gan", "defaults, on the CPU"),
        ours("independent", "defaults: every column by itself"),
        Line("MOSTLY AI", "mostly", "mostly", "mostlyai-engine", "Apache-2.0", "TabularARGN on the CPU, defaults"),
        Line(
            "CART",
            "cart",
            "cart",
            "python-synthpop",
            "EUPL-1.2",
            "class defaults. It starts from real rows and redraws each column from its leaf given all the others, so "
            "its rows stay near real ones; a missing number is coded as one far-off number",
        ),
        sdv("Gaussian copula", "GaussianCopulaSynthesizer", "defaults"),
        sdv("TVAE", "TVAESynthesizer", "defaults: 300 epochs"),
        sdv(
            "CTGAN", "CTGANSynthesizer", "defaults: 300 epochs, but 30 on diabetes130 to fit the limit", diabetes130=30
        ),
        Line(
            "ARF",
            "arf",
            "arf",
            "arfpy",
            "MIT",
            "defaults: 30 trees; gaps in numbers as a median and a label column beside it, whole numbers rounded",
        ),
    )
}
