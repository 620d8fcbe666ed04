"""What has been spent on which patients. Every release writes here, private mechanism or not.

A release made without differential privacy has no formal guarantee: it is entered as epsilon = infinity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Charge:
    """One touch of real data. `epsilon` None means no formal guarantee (infinity)."""

    purpose: str
    mechanism: str
    epsilon: float | None = None
    delta: float | None = None


@dataclass(slots=True)
class Ledger:
    """Append-only charges tied to one cohort.

    `cohort` is the fingerprint of the source (SHA-256 of its bytes), not anything that can be read back.
    """

    cohort: str = ""
    _charges: list[Charge] = field(default_factory=list)

    def charge(self, charge: Charge) -> None:
        """Enter a charge; call it before the data is touched."""
        self._charges.append(charge)

    @property
    def charges(self) -> tuple[Charge, ...]:
        return tuple(self._charges)

    def to_dict(self) -> dict[str, Any]:
        formal = bool(self._charges) and all(c.epsilon is not None for c in self._charges)
        return {
            "cohort": self.cohort,
            "unit": "patient",
            "guarantee": "stated per charge" if formal else "no formal guarantee (ε = ∞)",
            "charges": [
                {"purpose": c.purpose, "mechanism": c.mechanism, "epsilon": c.epsilon, "delta": c.delta}
                for c in self._charges
            ],
        }
