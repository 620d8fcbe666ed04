"""Would the attacks have seen a leak? What they answered when real rows were mixed in, more and more of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from semblance.evidence import Evidence, Finding
from semblance.report.draw import FAKE, LINE, MUTED, PAPER, canvas, house_style, number, to_svg
from semblance.report.language import Language
from semblance.report.titles import attack_of, title_of

BEST = "power.best.leak"


@dataclass(frozen=True, slots=True)
class Dose:
    """One attack: the sentence, what is said beside it, and the curve where one was recorded, of what it `reads`."""

    title: str
    sentence: str
    beside: str
    reads: str
    svg: Markup | None


def best_sentence(evidence: Evidence, say: Language) -> str:
    """What all attacks together would have seen; empty where nobody asked."""
    found = evidence.get(BEST)
    if found is None:
        return ""
    if found.value is None:
        return say.join(say("Nobody knows whether these attacks would have seen a leak:"), say(found.why))
    return say(
        "Had {share} of the rows or more been real patients, word for word, these attacks together would have seen it.",
        share=_percent(found.value, say),
    )


def draw_doses(evidence: Evidence, say: Language) -> list[Dose]:
    """One entry for each attack whose power was tested."""
    found = [f for f in evidence if f.name.startswith("power.") and f.name != BEST]
    with house_style():
        return [_dose(f, say, key=f"dose{i}") for i, f in enumerate(found)]


def _dose(f: Finding, say: Language, *, key: str) -> Dose:
    title = attack_of(f.name.removeprefix("power.").removesuffix(".leak"), say)
    doses = [d for d in f.detail.get("doses") or () if isinstance(d, Mapping) and d.get("value") is not None]
    read = str(f.detail.get("finding") or "")
    reads = say("Drawn: {finding}", finding=title_of(read, say)) if read and len(doses) > 1 else ""
    svg = _curve(doses, f, say, key=key, title=title) if len(doses) > 1 else None
    if f.value is None:
        return Dose(title, say("It is not known which leak this attack would have seen."), say(f.why), reads, svg)
    sentence = say("This attack would have seen a leak of {share} or more.", share=_percent(f.value, say))
    beside = []
    if f.high is not None and f.high < 1:
        beside.append(
            say(
                "Another leak of the same kind would almost surely be seen from {share} on.",
                share=_percent(f.high, say),
            )
        )
    elif f.high is not None:
        beside.append(say("Of no leak that was tried is it sure that another of the same kind would be seen."))
    if f.why:
        beside.append(say(f.why))
    return Dose(title, sentence, say.join(*beside), reads, svg)


def _curve(doses: Sequence[Mapping[str, Any]], f: Finding, say: Language, *, key: str, title: str) -> Markup:
    """Evenly spaced leaks; a filled dot where the leak was seen, a hollow one where it was not."""
    axes = canvas(300, 200, left=46, bottom=42, right=14, top=10)
    baseline = f.detail.get("baseline")
    if isinstance(baseline, (int, float)):
        axes.axhline(float(baseline), linestyle=":", color=MUTED, linewidth=1.4)
    values = [float(d["value"]) for d in doses]
    axes.plot(range(len(doses)), values, color=LINE, linewidth=1.6)
    for at, dose in enumerate(doses):
        low, high = (float(dose[k] if dose.get(k) is not None else dose["value"]) for k in ("low", "high"))
        axes.vlines(at, low, high, color=FAKE, linewidth=2)
        inside = FAKE if dose.get("seen") else PAPER
        axes.plot(at, float(dose["value"]), "o", color=FAKE, markerfacecolor=inside, markersize=7, clip_on=False)
    axes.set_xticks(range(len(doses)), [f"{number(100 * float(d.get('leak') or 0))}%" for d in doses])
    axes.set_xlim(-0.4, len(doses) - 0.6)
    axes.locator_params(axis="y", nbins=4)
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(say("rows that are real patients"))
    read = title_of(str(f.detail.get("finding") or ""), say)
    return to_svg(
        axes, key=key, label=say("{attack}: “{finding}” as more real rows are mixed in.", attack=title, finding=read)
    )


def _percent(share: float, say: Language) -> str:
    """Without the decimals that a round leak does not need."""
    return f"{number(100 * share)}%" if say.code == "zh" else f"{number(100 * share)} %"
