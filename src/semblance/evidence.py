"""Findings: measured claims with intervals. Evidence: all of them, with where they came from.

Nothing here holds a row. A Finding's `detail` holds what a chart needs; any number of patients in it sits
under a key that ends in "counts", so that ``release/disclosure.py`` can blank the small ones.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from semblance.errors import FormatError

SCHEMA_VERSION = "1"

NOTHING_TO_ASK = "nothing_to_ask"
"""Key of a skipped finding's detail: true where the table holds nothing that could leak in the way it asks about."""

Direction = Literal["higher", "lower", "target", "none"]
Status = Literal["measured", "underpowered", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One measured claim.

    Attributes:
        name: Stable and dotted, such as "fidelity.c2st.auc".
        question: What it answers, in a sentence a board member can read.
        value, low, high: Estimate and interval at `confidence`; None when not measured.
        n: Patients it rests on.
        unit: "AUC", "share", "p", …
        direction: Which way is better. "target" means nearer to `baseline` is better.
        baseline: What an innocent generator, or real held-out patients, would score.
        status: "underpowered" when the sample cannot support the claim; "skipped" with `why`.
        method: How it was measured, with the source of the formula.
        detail: What a chart needs. No rows; patient counts only under keys ending in "counts".
    """

    name: str
    question: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: float = 0.95
    n: int = 0
    unit: str = ""
    direction: Direction = "none"
    baseline: float | None = None
    status: Status = "measured"
    method: str = ""
    why: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.status == "measured" and self.value is None:
            raise ValueError(f"finding {self.name}: measured, yet without a value")
        if self.status != "measured" and not self.why:
            raise ValueError(f"finding {self.name}: {self.status}, yet without a reason")
        for x in (self.value, self.low, self.high, self.baseline):
            if x is not None and not math.isfinite(x):
                raise ValueError(f"finding {self.name}: a number is not finite")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything known about one synthetic table. The gate and the report read this and nothing else."""

    findings: tuple[Finding, ...]
    ledger: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [f.name for f in self.findings]
        if len(set(names)) != len(names):
            raise ValueError("two findings share a name")

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def get(self, name: str) -> Finding | None:
        """The finding of that name, or None: a gate must treat None as not run."""
        return next((f for f in self.findings if f.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        return {
            "schema_version": SCHEMA_VERSION,
            "findings": [asdict(f) for f in self.findings],
            "ledger": dict(self.ledger),
            "provenance": dict(self.provenance),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Evidence:
        """Read back what `to_dict` wrote; a verdict beside it is ignored, to be decided again.

        Raises:
            FormatError: not an evidence file, or of another version.
        """
        if data.get("schema_version") != SCHEMA_VERSION:
            raise FormatError(f"this is not evidence of schema version {SCHEMA_VERSION}; make it again.")
        known = {f.name for f in fields(Finding)}
        try:
            findings = tuple(Finding(**{k: v for k, v in f.items() if k in known}) for f in data["findings"])
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise FormatError("the evidence file is damaged: a finding in it cannot be read.") from error
        return cls(findings, data.get("ledger", {}), data.get("provenance", {}))


def canonical_json(data: Any) -> str:
    """JSON with a fixed order and no NaN, so that equal evidence has equal bytes."""
    return json.dumps(data, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
