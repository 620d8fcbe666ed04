"""What may be concluded: HELPS, NO EVIDENCE or HARMS, for each generative arm.

HELPS: better than *every* arm that needs no generator, at the same number of real patients, whatever that arm adds; and
not worse than any of them, by more than the margin, at the other site. To be above all is an intersection-union test:
the largest of the p values is one, whichever arm looks best (Berger 1982). HARMS: worse, at either site, than the same
without the generator. Both families are corrected over all arms, ratios and cuts (Holm 1979).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from semblance.experiment.inference import Gain, Resampled
from semblance.experiment.plan import NAMED, REAL, Design, Setting
from semblance.stats import holm

Verdict = Literal["HELPS", "NO EVIDENCE", "HARMS"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """One generative arm at one cut and ratio.

    Attributes:
        best: The arm without a generator that it does worst against. gain: Over that one. p: That it is better than
            all of them, corrected. without: The same arm without the generator. change: From that one.
        p_harm: That it is worse than that one, corrected.
        best_elsewhere, gain_elsewhere: The same at the other site, None where there is none.
        not_worse: Whether the lower end there is above the margin. detectable: The smallest true gain over `best` that
            would have been found four times in five.
    """

    setting: Setting
    verdict: Verdict
    best: Setting
    gain: Gain
    p: float
    without: Setting
    change: Gain
    p_harm: float
    detectable: float
    best_elsewhere: Setting | None = None
    gain_elsewhere: Gain | None = None
    not_worse: bool | None = None


def rivals(settings: Sequence[Setting], keep: int) -> list[Setting]:
    """Everything at this cut that needs neither a generator nor more patients."""
    return [s for s in settings if s.keep == keep and NAMED[s.arm].rival]


def judge(design: Design, here: Resampled, elsewhere: Resampled | None = None) -> list[Judgement]:
    """The verdicts, in the order of the settings.

    Args:
        here, elsewhere: Areas under the ROC curve at the site of the training, and at another.
    """
    settings = [s for s in design.settings() if s in here.points]
    judged = [s for s in settings if NAMED[s.arm].generative]
    if not judged:
        return []
    tail = (1 - design.confidence) / 2
    against = {s: _weakest(here, s, rivals(settings, s.keep)) for s in judged}
    away = {s: _weakest(elsewhere, s, rivals(settings, s.keep)) for s in judged} if elsewhere else {}
    better = holm([here.difference(s, against[s]).above() for s in judged])
    without = {s: _without(s, settings) for s in judged}
    sites = [site for site in (here, elsewhere) if site is not None]
    harmed = holm([site.difference(s, without[s]).below() for site in sites for s in judged])
    found = []
    for place, s in enumerate(judged):
        gain = here.difference(s, against[s])
        p_harm = float(min(harmed[place :: len(judged)]))
        further = elsewhere.difference(s, away[s]) if elsewhere else None
        not_worse = None if further is None else further.interval(design.confidence)[0] > -design.margin
        helps = bool(better[place] <= tail) and not_worse is not False
        verdict: Verdict = "HARMS" if p_harm <= tail else "HELPS" if helps else "NO EVIDENCE"
        found.append(
            Judgement(
                s,
                verdict,
                against[s],
                gain,
                float(better[place]),
                without[s],
                here.difference(s, without[s]),
                p_harm,
                gain.detectable(tail / len(judged)),
                away.get(s),
                further,
                not_worse,
            )
        )
    return found


def overall(judgements: Sequence[Judgement]) -> Verdict:
    """Of the whole: what any arm was shown to do; help before harm, as either is true of some arm."""
    said = {j.verdict for j in judgements}
    return "HELPS" if "HELPS" in said else "HARMS" if "HARMS" in said else "NO EVIDENCE"


def _weakest(site: Resampled, one: Setting, others: Sequence[Setting]) -> Setting:
    """That over which `one` is least surely better."""
    return max(others, key=lambda other: (site.difference(one, other).above(), site.points[other].mean()))


def _without(one: Setting, settings: Sequence[Setting]) -> Setting:
    """The same arm, had nobody drawn anything."""
    plain = Setting(one.keep, "classical" if NAMED[one.arm].classical else REAL)
    return plain if plain in settings else Setting(one.keep, REAL)
