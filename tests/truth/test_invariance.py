"""Label invariance where the truth is known by construction: what changes is found, what keeps is left alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage
from scipy.stats import binomtest

import semblance as sb
from semblance.audits.images.invariance import Invariance, learn_plainly
from semblance.audits.images.invariance import losses as learning
from semblance.audits.images.invariance import verdict as judging
from semblance.augment.frame import around_middle, from_parts, parts
from semblance.augment.grain import Blur
from semblance.augment.mirror import Flip, Turn
from semblance.augment.place import Shift
from semblance.data.images import PATIENT, Images
from semblance.image_contracts import ImageComparison
from semblance.image_schema import ImageSchema

SIZE = 20


@dataclass(frozen=True)
class Always:
    """A change of a fixed strength."""

    name: str
    made: Callable[[Images], Images]
    about: str = ""

    def keeps(self, schema: ImageSchema) -> dict[str, str]:
        return {}

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        return self.made(images)


def zoomed(images: Images) -> Images:
    return around_middle(images, np.broadcast_to(np.eye(2) / 1.4, (len(images), 2, 2)), np.zeros((len(images), 2)))


def darkened(images: Images) -> Images:
    return from_parts(images, parts(images) ** 1.6)


def oracle(task: str, n: int, rng: np.random.Generator) -> Images:
    """`n` patients, an image each, of a kind that is known."""
    label = np.arange(n) % 2
    down, right = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2

    def far(row: Any, column: Any) -> Any:
        return (down - row[:, None, None]) ** 2 + (right - column[:, None, None]) ** 2

    if task == "side":
        lit = 0.3 + 0.4 * np.exp(-far(rng.uniform(-4, 4, n), np.where(label == 0, -1, 1) * rng.uniform(3, 6, n)) / 6)
    elif task == "size":
        radius = np.where(label == 0, rng.uniform(2.2, 3.4, n), rng.uniform(3.6, 4.8, n))
        edge = np.sqrt(far(rng.uniform(-1, 1, n), rng.uniform(-1, 1, n))) - radius[:, None, None]
        lit = 0.3 + 0.4 / (1 + np.exp(3 * edge))
    elif task == "density":
        level = np.where(label == 0, rng.uniform(0.32, 0.44, n), rng.uniform(0.46, 0.58, n))
        lit = level[:, None, None] + 0.1 * np.cos(rng.uniform(0, 6, n)[:, None, None] + down / 4)
    else:
        grain = rng.normal(0, 1, (n, SIZE, SIZE))
        grain[label == 1] = ndimage.gaussian_filter(grain, (0, 0.8, 0.8), mode="wrap")[label == 1]
        lit = 0.5 + 0.12 * grain / grain.std(axis=(1, 2), keepdims=True)
    pixels = np.clip((lit + rng.normal(0, 0.05, lit.shape)) * 255, 0, 255).round().astype(np.float32)[:, None]
    schema = ImageSchema(SIZE, SIZE, label="kind", classes=("a", "b"), mirror="any")
    return Images(pixels, pd.DataFrame({"kind": [schema.classes[k] for k in label]}), schema)


def judged(images: Images, change: Any, seed: int = 0, **asked: Any) -> judging.Judged:
    run = sb.begin(seed=seed)
    plain = learning.begin(images, learn_plainly, run, folds=3)
    return judging.judge(learning.measure(plain, change, run), run.seeds("judge"), **asked)


@pytest.mark.parametrize(
    ("task", "change", "verdict"),
    [
        ("side", Flip(), "changes"),
        ("side", Shift(3 / SIZE), "keeps"),
        ("size", Always("zoom", zoomed), "changes"),
        ("size", Flip(), "keeps"),
        ("density", Always("darker", darkened), "changes"),
        ("density", Shift(3 / SIZE), "keeps"),
        ("texture", Blur(0.25), "changes"),
        ("texture", Turn(), "keeps"),
    ],
    ids=lambda x: getattr(x, "name", x),
)
def test_an_oracle_is_agreed_with(task: str, change: Any, verdict: str) -> None:
    found = judged(oracle(task, 240, np.random.default_rng(7)), change)
    assert found.verdict == verdict, found
    assert found.n == 240


@pytest.mark.slow
def test_the_null_is_quiet_and_the_margin_is_not_called_safe() -> None:
    """Twenty images drawn anew: flips of what has no side are never said to change it.

    And where one image in twenty is flipped of what is all about sides, h(0.05) nats are lost exactly: at that margin
    "keeps" is wrong, and may be said in one of twenty; three or more of twenty would come once in thirteen.
    """
    entropy = -(0.05 * math.log(0.05) + 0.95 * math.log(0.95))
    quiet, safe = [], 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        quiet.append(judged(oracle("texture", 120, rng), Flip(), seed).verdict)
        seldom = judged(oracle("side", 120, rng), Flip(share=0.05), seed, margin=entropy)
        safe += seldom.verdict == "keeps"
    assert "changes" not in quiet
    assert quiet.count("keeps") >= 10
    assert binomtest(safe, 20, 0.05, alternative="greater").pvalue > 0.001


def test_nothing_is_said_where_the_classes_cannot_be_told() -> None:
    images = oracle("texture", 120, np.random.default_rng(0))
    kinds = np.random.default_rng(1).permutation(images.about["kind"].to_numpy())
    found = judged(replace(images, about=pd.DataFrame({"kind": kinds})), Flip())
    assert found.verdict == "blind"


def test_patients_are_counted_and_stay_together() -> None:
    images = oracle("side", 60, np.random.default_rng(0))
    twice = images.take(np.repeat(np.arange(60), 2))
    about = twice.about.assign(**{PATIENT: [f"p{i // 2}" for i in range(120)]})
    twice = replace(twice, about=about, schema=replace(twice.schema, patient=True))
    run = sb.begin(seed=0)
    plain = learning.begin(twice, learn_plainly, run, folds=3)
    assert all(plain.fold[2 * i] == plain.fold[2 * i + 1] for i in range(60))
    once, both = judged(images, Flip()), judging.judge(learning.measure(plain, Flip(), run), run.seeds("judge"))
    assert both.n == once.n == 60


def test_exact_tests_are_exact() -> None:
    before, after = np.r_[np.ones(9), 0, np.ones(30)], np.r_[np.zeros(9), 1, np.ones(30)]
    assert judging.mcnemar(before, after) == pytest.approx(22 / 1024)  # 2 · (1 + 10) / 2¹⁰
    assert judging.mcnemar(before, before) == 1.0
    rng = np.random.default_rng(0)
    assert judging.sign_flip(np.zeros(5), rng) == 1.0
    assert judging.sign_flip(np.ones(3), rng, permutations=20_000) == pytest.approx(1 / 8, abs=0.012)
    each = rng.normal(0, 0.1, 400)
    assert judging.tost(each, 0.05, folds=5) < 0.05 < judging.tost(each + 0.05, 0.05, folds=5)


def test_sign_flips_and_equivalence_alarm_as_often_as_stated() -> None:
    rng, flipped, equal = np.random.default_rng(3), 0, 0
    for _ in range(200):
        flipped += judging.sign_flip(rng.normal(0, 1, 30), rng, permutations=200) <= 0.05
        equal += judging.tost(rng.normal(0.3, 1, 60), 0.3, folds=10**9) <= 0.05
    for alarms in (flipped, equal):
        assert binomtest(alarms, 200, 0.05, alternative="greater").pvalue > 0.001


def test_a_generator_that_makes_the_wrong_class_is_found() -> None:
    rng = np.random.default_rng(2)
    train, held = oracle("side", 200, rng), oracle("side", 160, rng)
    good = replace(oracle("side", 160, rng), origin="synthetic")
    wrong = np.arange(160) % 2 == 1
    kinds = np.where(wrong & (np.arange(160) % 3 == 0), "a", good.about["kind"])
    mixed = replace(good, about=pd.DataFrame({"kind": kinds}))
    asked = Invariance(changes=(Shift(),), folds=3)
    for fake, verdict in ((good, "of its class"), (mixed, "not of its class")):
        found = asked.judge(ImageComparison(train, held, fake), sb.begin(seed=0))
        by_name = {finding.name: finding for finding in found.findings}
        assert by_name["invariance.made.a.agreement"].detail["verdict"] == verdict
        assert by_name["invariance.made.b.agreement"].detail["verdict"] == "of its class"
        assert [plate.board for plate in found.plates] == [False, True]


def test_too_few_patients_or_no_classes_are_told() -> None:
    few = oracle("side", 30, np.random.default_rng(0))
    found, readers = Invariance(changes=(Flip(),)).try_on(few, sb.begin(seed=0))
    assert readers is None
    assert [finding.status for finding in found.findings] == ["skipped"]
    nothing = replace(few, schema=replace(few.schema, classes=(), label=""))
    assert "no classes" in Invariance(changes=(Flip(),)).try_on(nothing, sb.begin(seed=0))[0].findings[0].why
