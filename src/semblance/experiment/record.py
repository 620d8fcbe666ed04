"""What an experiment found, as ``experiment.json`` holds it: numbers of arms, none of a patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semblance.experiment.inference import Gain, Resampled, Scores, resample
from semblance.experiment.plan import MORE, NAMED, REAL, Design, Setting
from semblance.experiment.scoring import endpoints
from semblance.experiment.verdicts import Judgement, judge, overall, rivals
from semblance.experiment.worth import worth
from semblance.seeds import Seeds

FEWER = 300
"""Bootstrap samples for endpoints that decide nothing."""
SITES = ("here", "elsewhere")


def build(
    design: Design,
    sites: Sequence[Scores],
    images: Mapping[Setting, int],
    rare: Mapping[Setting, int],
    seeds: Seeds,
    head: Mapping[str, Any],
) -> dict[str, Any]:
    """The whole record.

    Args:
        sites: Scores at the site of the training, and at another where there is one.
        images, rare: Images that each setting learned from, and real ones of the rare class among them.
        head: What else is known: the cohort, the generator, provenance.
    """
    settings = [s for s in design.settings() if s in sites[0].chances]
    found: list[dict[str, Resampled]] = []
    for place, scores in enumerate(sites):
        rng = {e.name: seeds(f"experiment/bootstrap/{SITES[place]}/{e.name}") for e in endpoints(design.specificity)}
        found.append(
            {
                e.name: resample(scores, e, rng[e.name], replicates=design.replicates if e.name == "auroc" else FEWER)
                for e in endpoints(design.specificity)
            }
        )
    areas = [site["auroc"] for site in found]
    judged = judge(design, *areas)
    curve = {s: n for s, n in rare.items() if s.arm in (REAL, MORE)}
    return {
        "schema_version": "1",
        "verdict": overall(judged),
        "design": design.to_dict(),
        "arms": [arm for arm in NAMED if any(s.arm == arm for s in settings)],
        "lines": [
            {
                "keep": s.keep,
                "arm": s.arm,
                "ratio": s.ratio,
                "images": images[s],
                "real_rare": rare[s],
                **{name: _levels(site, s, design.confidence) for name, site in zip(SITES, found, strict=False)},
                "over_real": _told(areas[0].difference(s, Setting(s.keep, REAL)), design.confidence),
                "worth": _worth(areas[0], s, curve, design.confidence),
            }
            for s in settings
        ],
        "judgements": [_judgement(j, design, len(rivals(settings, j.setting.keep))) for j in judged],
        **head,
    }


def _levels(site: Mapping[str, Resampled], one: Setting, confidence: float) -> dict[str, Any]:
    return {
        name: _told(found.level(one), confidence) | {"by_seed": [float(x) for x in found.points[one]]}
        for name, found in site.items()
    }


def _told(gain: Gain, confidence: float) -> dict[str, Any]:
    low, high = gain.interval(confidence)
    return {"value": gain.value, "low": low, "high": high}


def _worth(here: Resampled, one: Setting, curve: Mapping[Setting, int], confidence: float) -> dict[str, Any] | None:
    found = (
        worth(here, one, curve, confidence=confidence) if NAMED[one.arm].adds in ("synthetic", "duplicates") else None
    )
    if found is None:
        return None
    return {"images": found.images, "low": found.low, "high": found.high, "most": found.most}


def _judgement(found: Judgement, design: Design, n_rivals: int) -> dict[str, Any]:
    return {
        "keep": found.setting.keep,
        "arm": found.setting.arm,
        "ratio": found.setting.ratio,
        "verdict": found.verdict,
        "rivals": n_rivals,
        "best": {"arm": found.best.arm, "ratio": found.best.ratio},
        "gain": _told(found.gain, design.confidence),
        "p": found.p,
        "without": {"arm": found.without.arm, "ratio": found.without.ratio},
        "change": _told(found.change, design.confidence),
        "p_harm": found.p_harm,
        "detectable": found.detectable,
        "elsewhere": None
        if found.gain_elsewhere is None or found.best_elsewhere is None
        else {
            "best": {"arm": found.best_elsewhere.arm, "ratio": found.best_elsewhere.ratio},
            "gain": _told(found.gain_elsewhere, design.confidence),
            "not_worse": found.not_worse,
        },
    }
