"""What an experiment concludes is true as often as it says: planted gains and harms are found, and nothing is not.

No classifier is trained here: scores of patients are drawn, with a share that all arms have in common (the patient),
one that a seed has (its training patients), and one that is new each time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pytest
from scipy import stats as distributions

from semblance.experiment.inference import Resampled, Scores, resample
from semblance.experiment.plan import NAMED, Design, Setting
from semblance.experiment.scoring import endpoints
from semblance.experiment.verdicts import judge, overall
from semblance.experiment.worth import worth
from semblance.seeds import Seeds

SEEDS, PATIENTS, POSITIVE = 5, 240, 80
AREA = endpoints(0.9)[0]


def drawn(
    signal: Mapping[Setting, float], rng: np.random.Generator, *, luck: float = 0.15, seeds: int = SEEDS
) -> Scores:
    """Scores of patients, two images each, whom each setting tells apart by so many standard deviations."""
    patients = np.repeat(np.arange(PATIENTS), 2)
    positive = patients < POSITIVE
    person = rng.normal(size=PATIENTS)[patients]
    shared = luck * rng.normal(size=seeds)
    chances = {}
    for setting, strength in signal.items():
        own = strength + shared + luck * rng.normal(size=seeds)
        noise = 0.5 * rng.normal(size=(seeds, len(patients)))
        chances[setting] = distributions.norm.cdf(own[:, None] * positive + person + noise)
    return Scores(positive, patients, chances)


def measured(signal: Mapping[Setting, float], seed: int, *, samples: int = 120, **how: float) -> Resampled:
    rng = Seeds(seed)("simulated")
    return resample(drawn(signal, rng, **how), AREA, Seeds(seed)("bootstrap"), replicates=samples)  # type: ignore[arg-type]


def design(*arms: str, ratios: tuple[float, ...] = (1.0,), seeds: int = SEEDS) -> Design:
    return Design(arms, (100,), ratios=ratios, seeds=seeds)


def signals(plan: Design, **strength: float) -> dict[Setting, float]:
    """The same for every ratio of an arm; 1 for arms that are not named."""
    return {s: strength.get(s.arm.replace("+", "_").replace("-", "_"), 1.0) for s in plan.settings()}


def said(plan: Design, signal: Mapping[Setting, float], experiments: int, **how: float) -> Counter[str]:
    found: Counter[str] = Counter()
    for number in range(experiments):
        found[overall(judge(plan, measured(signal, number, **how)))] += 1
    return found


def at_most(share: float, n: int) -> int:
    """What a truth of `share` exceeds in one of a thousand such tests."""
    return int(distributions.binom.ppf(0.999, n, share))


FOUR = ("real", "oversampled", "classical", "synthetic")


def test_a_planted_gain_is_found() -> None:
    found = said(design(*FOUR), signals(design(*FOUR), synthetic=1.8), 20)
    assert found["HELPS"] >= 18
    assert not found["HARMS"]


def test_a_planted_harm_is_found() -> None:
    found = said(design(*FOUR), signals(design(*FOUR), synthetic=0.3), 20)
    assert found["HARMS"] >= 18
    assert not found["HELPS"]


def test_what_duplicates_do_as_well_does_not_help() -> None:
    """Synthetic images worth as much as copies: far above the real arm alone, and no reason for a generator."""
    plan = design(*FOUR)
    found = said(plan, signals(plan, oversampled=1.6, synthetic=1.6), 25)
    assert found["HELPS"] <= at_most(0.025, 25)
    assert not found["HARMS"]


@pytest.mark.slow
@pytest.mark.parametrize("luck", [0.0, 0.15, 0.5])
@pytest.mark.parametrize("seeds", [3, 5])
def test_nothing_is_said_of_nothing_as_often_as_stated(luck: float, seeds: int) -> None:
    """The hardest case: one rival, so that to be better than all of them is to be better than one."""
    plan = design("real", "synthetic", seeds=seeds)
    found = said(plan, signals(plan), 300, luck=luck, seeds=seeds)
    assert found["HELPS"] <= at_most(0.025, 300)
    assert found["HARMS"] <= at_most(0.025, 300)


@pytest.mark.slow
def test_many_arms_and_ratios_do_not_find_more_by_trying() -> None:
    plan = design("real", "synthetic", "synthetic+classical", ratios=(0.5, 1.0, 2.0, 5.0))
    found = said(plan, signals(plan), 150)
    assert found["HELPS"] <= at_most(0.025, 150)
    assert found["HARMS"] <= at_most(0.025, 150)


def test_an_interval_covers_the_truth() -> None:
    """The truth: by how much the areas differ over many drawn patients and seeds, by the binormal formula."""
    plan = design("real", "synthetic")
    one, other = plan.settings()
    apart = {one: 1.0, other: 1.4}
    spread = np.sqrt(2 * (1 + 0.5**2) + 2 * 0.15**2)
    truth = float(np.diff([distributions.norm.cdf(apart[s] / spread) for s in (one, other)])[0])
    inside = 0
    for number in range(40):
        low, high = measured(apart, number).difference(other, one).interval(0.95)
        inside += low <= truth <= high
    assert inside >= 40 - at_most(0.05, 40)


def test_a_gain_that_is_lost_at_another_site_is_no_gain() -> None:
    plan = design(*FOUR)
    here = measured(signals(plan, synthetic=1.8), 1)
    lost = measured(signals(plan, synthetic=0.9), 2)
    kept = measured(signals(plan, synthetic=1.8), 3)
    assert judge(plan, here)[0].verdict == "HELPS"
    assert judge(plan, here, kept)[0].verdict == "HELPS"
    assert judge(plan, here, lost)[0].verdict == "NO EVIDENCE"
    assert judge(plan, here, lost)[0].not_worse is False


def test_a_harm_at_another_site_alone_is_a_harm() -> None:
    plan = design(*FOUR)
    found = judge(plan, measured(signals(plan), 1), measured(signals(plan, synthetic=0.2), 2))
    assert found[0].verdict == "HARMS"


@pytest.mark.slow
def test_what_would_have_been_found_is_found_as_often_as_said() -> None:
    """A gain as large as the smallest detectable one is found four times in five."""
    plan = design("real", "synthetic")
    one, other = plan.settings()
    least = float(np.mean([judge(plan, measured(signals(plan), n))[0].detectable for n in range(20)]))
    spread = np.sqrt(2 * (1 + 0.5**2) + 2 * 0.15**2)
    base = distributions.norm.cdf(1 / spread)
    planted = {one: 1.0, other: float(spread * distributions.norm.ppf(base + least))}
    found = said(plan, planted, 60)["HELPS"]
    assert 60 * 0.8 - 3.1 * np.sqrt(60 * 0.16) <= found <= 60


def test_worth_is_read_off_the_curve_of_more_real_images() -> None:
    plan = design("real", "synthetic", "more-real", ratios=(0.5, 1.0, 2.0))
    strength = {0.0: 0.8, 0.5: 1.2, 1.0: 1.6, 2.0: 2.0}
    signal = {s: strength[s.ratio] if NAMED[s.arm].name != "synthetic" else 1.6 for s in plan.settings()}
    counts = {s: round(100 * (1 + s.ratio)) for s in plan.settings() if s.arm != "synthetic"}
    found = worth(measured(signal, 5, luck=0.02), Setting(100, "synthetic", 1.0), counts, confidence=0.95)
    assert found is not None
    assert found.most == 200
    assert found.low <= 100 <= found.high
    assert 50 < found.images < 170


def test_an_arm_that_is_another_by_name_only_is_no_evidence() -> None:
    plan = design("real", "synthetic")
    one, other = plan.settings()
    scores = drawn({one: 1.0, other: 1.0}, Seeds(1)("simulated"))
    same = Scores(scores.positive, scores.patients, {one: scores.chances[one], other: scores.chances[one]})
    found = judge(plan, resample(same, AREA, Seeds(1)("bootstrap"), replicates=50))[0]
    assert found.verdict == "NO EVIDENCE"
    assert (found.p, found.p_harm) == (1.0, 1.0)
