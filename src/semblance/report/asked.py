"""What was asked of the held-out patients: each question wears them out a little, so each is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from semblance.evidence import Evidence
from semblance.report.language import Language
from semblance.report.titles import family_of


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions by family, most first; and sentences on how often the holdout was opened."""

    rows: tuple[tuple[str, str], ...]
    sentences: tuple[str, ...]


def asked_of_holdout(evidence: Evidence, say: Language) -> Asked:
    """Of whatever the findings recorded under "queries" and the provenance says of the split."""
    totals: dict[str, int] = {}
    for finding in evidence:
        n = finding.detail.get("queries")
        if isinstance(n, int) and not isinstance(n, bool):
            family = finding.name.split(".", 1)[0]
            totals[family] = totals.get(family, 0) + n
    rows = sorted(totals.items(), key=lambda item: -item[1])
    return Asked(tuple((family_of(f, say), say.thousands(n)) for f, n in rows), tuple(_openings(evidence, say)))


def _openings(evidence: Evidence, say: Language) -> list[str]:
    split = evidence.provenance.get("split")
    opened = split.get("holdout_opened_for") if isinstance(split, Mapping) else None
    said = []
    if isinstance(opened, (list, tuple)):
        if len(opened) == 1:
            said.append(say("The held-out patients were opened once."))
        else:
            said.append(say("The held-out patients were opened {n} times.", n=len(opened)))
    uses = _uses(evidence)
    if uses == 1:
        said.append(say("They have judged one release from this source."))
    elif uses:
        said.append(
            say(
                "They have judged {n} releases from this source, this one counted: each makes the tests a little less "
                "strict.",
                n=uses,
            )
        )
    early = evidence.get("protocol.holdout.early")
    if early is not None and early.value is not None:
        if early.value == 0:
            said.append(say("Nobody had seen them before the table was made."))
        else:
            said.append(say("They had been opened {n} times before the table was made.", n=f"{early.value:.0f}"))
    elif early is not None:
        said.append(say(early.why[:1].upper() + early.why[1:] + "."))
    return said


def _uses(evidence: Evidence) -> int:
    """Releases that the same held-out patients have judged, this one counted; 0 where nobody counted."""
    holdout = evidence.provenance.get("holdout")
    uses = holdout.get("uses") if isinstance(holdout, Mapping) else None
    return uses if isinstance(uses, int) else 0
