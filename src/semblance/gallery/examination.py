"""The page of findings about images: one HTML file that opens offline, with every picture inside."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from semblance.evidence import Evidence, Finding
from semblance.image_contracts import Plate
from semblance.report.language import Language
from semblance.report.language import language as language_of
from semblance.report.sheet import environment, style


def render(evidence: Evidence, plates: Sequence[Plate] = (), *, language: str = "en") -> str:
    """The whole page as text. Pure: the same evidence and pictures give the same bytes.

    Args:
        language: "en" or "zh".

    Raises:
        InputError: there is no such language.
    """
    return render_in(language_of(language), evidence, plates)


def render_in(say: Language, evidence: Evidence, plates: Sequence[Plate]) -> str:
    """`render`, in a language that the caller holds: what it could not say is then in ``say.missing``."""
    audits = list(dict.fromkeys(_audit(f) for f in evidence))
    made = environment("gallery")
    made.globals.update(say=say)
    return made.get_template("examination.html").render(
        audits=[
            {
                "name": name,
                "rows": [_row(f, say) for f in evidence if _audit(f) == name],
                "plates": [
                    {"title": say(p.title), "caption": say(p.caption), "picture": _uri(p.png), "board": p.board}
                    for p in plates
                    if p.audit == name
                ],
            }
            for name in audits
        ],
        images=evidence.provenance.get("images", {}),
        board=any(p.board for p in plates),
        style=style("gallery", "gallery.css"),
    )


def _audit(finding: Finding) -> str:
    return finding.name.split(".")[0]


def _row(finding: Finding, say: Language) -> dict[str, Any]:
    measured = finding.status == "measured"
    interval = say.interval(finding.low, finding.high) if measured and finding.low is not None else ""
    return {
        "name": finding.name,
        "question": say(finding.question),
        "status": say(finding.status),
        "value": say.figure(finding.value) if measured and finding.value is not None else "–",
        "interval": interval,
        "unit": say(finding.unit) if finding.unit else "",
        "baseline": "–" if finding.baseline is None else say.figure(finding.baseline),
        "why": say(finding.why) if finding.why else "",
        "method": say(finding.method) if finding.method else "",
    }


def _uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
