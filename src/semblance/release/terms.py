"""What a person says about a release, because no measurement can: whom to ask, and until when it holds.

These are inputs, not taken from a clock, because equal runs must give equal bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from semblance.errors import InputError

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Terms:
    """Empty where nobody said anything; the card then says so.

    Attributes:
        contact: Whom a reader writes to: a name, an address, an office.
        expires: Day, as YYYY-MM-DD, after which the release must be assessed again or withdrawn.
        dated: Day of the release, as YYYY-MM-DD.
    """

    contact: str = ""
    expires: str = ""
    dated: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "contact", " ".join(self.contact.split()))
        for field in ("expires", "dated"):
            if text := getattr(self, field):
                _check_day(text, field)
        if self.expires and self.dated and self.expires <= self.dated:
            raise InputError("the release expires before it is dated; give a later day for --expires.")

    def to_dict(self) -> dict[str, str]:
        return asdict(self)

    @classmethod
    def from_dict(cls, said: Mapping[str, Any] | None) -> Terms:
        """Read back what `to_dict` wrote; nothing said is nothing said."""
        return cls(**{field: str((said or {}).get(field, "")) for field in cls.__slots__})


def _check_day(text: str, field: str) -> None:
    try:
        if not _DAY.fullmatch(text):
            raise ValueError
        date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is not a day; give --{field} as YYYY-MM-DD, such as 2027-06-30.") from error


NO_TERMS = Terms()
