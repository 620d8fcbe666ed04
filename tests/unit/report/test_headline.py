from __future__ import annotations

from dataclasses import replace

import pytest

from semblance.evidence import Evidence, Finding
from semblance.report.headline import five_numbers


def rule(finding: str, op: str, limit: float, status: str = "pass") -> dict[str, object]:
    return {"finding": finding, "op": op, "limit": limit, "status": status}


def test_five_are_always_there_and_unmeasured_ones_have_no_number() -> None:
    skipped = Finding("fidelity.c2st.auc", "?", status="skipped", why="one column only.")
    shown = five_numbers(Evidence((skipped,)), {})
    assert len(shown) == 5
    assert {h.figure for h in shown} == {"–"}
    assert shown[1].sentence == "one column only."
    assert all(h.gauge is None for h in shown)


@pytest.mark.parametrize(
    ("value", "low", "word"),
    [(0.507, 0.49, "no sign of it"), (0.53, 0.51, "a little"), (0.57, 0.53, "somewhat"), (0.7, 0.69, "yes")],
)
def test_membership_takes_its_word_from_the_interval(value: float, low: float, word: str) -> None:
    weak = Finding("membership.distance.auc", "?", 0.5, 0.49, 0.51)
    strong = Finding("membership.density.auc", "?", value, low, 2 * value - low)
    shown = five_numbers(Evidence((weak, strong)), {})[4]
    assert shown.word == word
    assert shown.figure == f"{value:.3f}"


def test_one_silent_attack_silences_the_answer() -> None:
    weak = Finding("membership.distance.auc", "?", 0.5, 0.49, 0.51)
    silent = Finding("membership.density.auc", "?", status="underpowered", why="too few.")
    assert five_numbers(Evidence((weak, silent)), {})[4].figure == "–"


def test_an_attack_that_had_nothing_to_attack_with_does_not_silence_the_others() -> None:
    measured = Finding("membership.distance.auc", "?", 0.52, 0.49, 0.55)
    skipped = Finding("membership.shadow.auc", "?", status="skipped", why="made elsewhere")
    worse_off = Finding("membership.distance.groups.auc", "?", 0.7, 0.6, 0.8)
    assert five_numbers(Evidence((measured, skipped, worse_off)), {})[4].figure == "0.520"
    assert five_numbers(Evidence((skipped,)), {})[4].figure == "–"


def test_the_strip_shows_what_the_policy_allows() -> None:
    finding = Finding("copies.nearest.share", "?", 0.5, 0.45, 0.55, baseline=0.5)
    verdict = {"rules": [rule("copies.nearest.share", "<=", 0.55)]}
    gauge = five_numbers(Evidence((finding,)), verdict)[3].gauge
    assert gauge is not None
    assert (gauge.value, gauge.baseline, gauge.allowed_from) == (50.0, 50.0, 0.0)
    assert gauge.allowed_to == gauge.high
    assert gauge.low == pytest.approx(100 - (gauge.high or 0), abs=0.11)


def test_a_number_off_the_scale_widens_it() -> None:
    finding = Finding("copies.nearest.share", "?", 0.98, 0.97, 0.99, baseline=0.5)
    gauge = five_numbers(Evidence((finding,)), {})[3].gauge
    assert gauge is not None
    assert gauge.high == 100.0
    assert gauge.end == "0.990"


def test_usefulness_speaks_of_both_models() -> None:
    gap = Finding("utility.gap.auc", "?", -0.02, -0.03, -0.01)
    both = (Finding("utility.tstr.auc", "?", 0.84), Finding("utility.trtr.auc", "?", 0.86))
    told = five_numbers(Evidence((gap, *both), provenance={"target": "death"}), {})[2]
    assert told.sentence == "A model of death learned from it reaches AUC 0.840 on real patients."
    assert told.baseline == "Learned from real patients: 0.860."
    r2 = tuple(replace(f, name=f.name.replace("auc", "r2")) for f in (gap, *both))
    assert "variance" in five_numbers(Evidence(r2), {})[2].sentence
