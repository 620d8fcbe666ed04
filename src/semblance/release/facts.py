"""Numbers that may stand in a card: those of the evidence, the verdict, the schema, the terms, and the law's own names.

What a card takes from them comes marked; `Page.text` then lets no digit pass that is not marked. A sentence with a
number typed into it, in any language, or a reference to a finding that does not exist, stops the release.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from semblance.evidence import Evidence, Finding
from semblance.report.language import Language
from semblance.schema import Schema

_OPEN, _CLOSE = "\ue000", "\ue001"  # private use: no text of ours holds them
_MARKED = re.compile(f"{_OPEN}[^{_OPEN}{_CLOSE}]*{_CLOSE}")
_UNSAFE = str.maketrans({c: f"\\{c}" for c in "\\`*_[]<>|#"} | {_OPEN: "", _CLOSE: ""})
_BLANKS = re.compile(r"[ \t\r\n\f\v]+")
_LAWS = {
    "ISO": "ISO/IEC 27559:2022",
    "WP29": "WP29, Opinion 05/2014",
    "EMA": "EMA Policy 0070",
    "EMA threshold": "0.09",
    "context": "6",
    "features": "7.2",
    "attacks": "7.3",
    "quantify": "8.2.2",
    "testing": "8.2.3",
    "again": "8.3.4",
    "governance": "9.2",
}
"""Names and clauses that hold digits of their own. A new one is added here, in sight."""


class Facts:
    """Everything a card may say a number of, each by its name."""

    def __init__(self, evidence: Evidence, verdict: Mapping[str, Any], schema: Schema, say: Language) -> None:
        self.evidence, self.verdict, self.schema, self.say = evidence, verdict, schema, say

    def number(self, finding: str, part: str = "value") -> str:
        """The value, low, high, baseline or n of a finding. Raises LookupError where there is no such finding."""
        found = self.evidence.get(finding)
        if found is None:
            raise LookupError(f"the card speaks of {finding!r}, which the evidence does not hold")
        return self.part(found, part)

    def part(self, finding: Finding, part: str) -> str:
        """The same of a finding at hand."""
        held = getattr(finding, part)
        return mark(self.say.thousands(held) if part == "n" else self.say.figure(held))

    def interval(self, finding: Finding) -> str:
        return mark(self.say.interval(finding.low, finding.high) or "–")

    def said(self, *path: str) -> str:
        """What the provenance says under these keys. Raises LookupError where it says nothing."""
        held: Any = self.evidence.provenance
        for key in path:
            if not isinstance(held, Mapping) or key not in held:
                raise LookupError(f"the card speaks of {'.'.join(path)!r}, which the provenance does not hold")
            held = held[key]
        return mark(self.say.thousands(held) if isinstance(held, int) else held)

    def has(self, *path: str) -> bool:
        """Whether the provenance says something under these keys."""
        held: Any = self.evidence.provenance
        for key in path:
            held = held.get(key) if isinstance(held, Mapping) else None
        return held not in (None, "")

    def rule(self, ruling: Mapping[str, Any], part: str) -> str:
        """A number of a ruling ("limit", "bound"), or its words in this language."""
        held = ruling[part]
        return mark(self.say.figure(held) if part in ("limit", "bound") else self.say(str(held)))

    def law(self, name: str) -> str:
        return mark(_LAWS[name])

    def queries(self) -> Iterator[tuple[str, str]]:
        """Family, and how many questions it put to the held-out patients at most (findings may share questions)."""
        asked: dict[str, int] = {}
        for finding in self.evidence:
            n = finding.detail.get("queries")
            if isinstance(n, int) and not isinstance(n, bool):
                family = finding.name.split(".", 1)[0]
                asked[family] = asked.get(family, 0) + n
        yield from ((family, mark(self.say.thousands(n))) for family, n in asked.items())


def mark(text: object) -> str:
    """Text that stands in the evidence, as Markdown shows it, on one line."""
    line = _BLANKS.sub(" ", str(text)).strip(" ")  # thin spaces within numbers stay
    return f"{_OPEN}{line.translate(_UNSAFE)}{_CLOSE}"


class Page:
    """Lines of a card, in one language."""

    def __init__(self, say: Language) -> None:
        self.say = say
        self.lines: list[str] = []

    def add(self, pattern: str = "", /, **slots: str) -> None:
        """A line; every number in it comes by a slot."""
        self.lines.append(self.say(pattern, **slots))

    def row(self, *cells: str) -> None:
        """A row of a table; cells are marked, or words of ours."""
        self.lines.append(f"| {' | '.join(cells)} |")

    def table(self, *titles: str) -> None:
        """The head of a table."""
        self.row(*(self.say(title) for title in titles))
        self.row(*("---" for _ in titles))

    def heading(self, pattern: str, /, **slots: str) -> None:
        self.lines += ["", "## " + self.say(pattern, **slots), ""]

    def text(self) -> str:
        """All lines.

        Raises:
            ValueError: a line holds a digit that comes from nowhere.
        """
        for line in self.lines:
            left = _MARKED.sub("", line)
            if any(character.isdigit() for character in left) or _OPEN in left or _CLOSE in left:
                raise ValueError(f"the card holds a number that no finding vouches for: {left.strip()!r}")
        return "\n".join(self.lines).replace(_OPEN, "").replace(_CLOSE, "") + "\n"
