"""Sets that are alike and are not, members that are betrayed and are not: of made-up images."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import ndimage

import semblance as sb
from semblance.audits.images.likeness import ImageLikeness, _relabel
from semblance.audits.images.membership import ImageMembership
from semblance.data.images import Images
from semblance.evidence import Finding
from semblance.image_contracts import ImageComparison
from semblance.image_schema import ImageSchema
from semblance.imaging.frechet import kernel, kernel_distance

RUN = sb.begin(seed=0, quick=True)


def blobs(n: int, *, seed: int, width: float = 1.5) -> Images:
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(n, 28, 28)), (0, width, width))
    pixels = np.clip(127 + 50 * field / field.std(), 0, 255).round().astype(np.float32)[:, None]
    return Images(pixels, pd.DataFrame(index=range(n)), ImageSchema(28, 28))


def bounds(finding: Finding) -> tuple[float, float, float]:
    """Low, value, high; not a number where there is none."""
    low, value, high = (np.nan if x is None else x for x in (finding.low, finding.value, finding.high))
    return low, value, high


def asked(audit: ImageLikeness | ImageMembership, comparison: ImageComparison) -> dict[str, Finding]:
    return {f.name: f for f in audit.judge(comparison, RUN).findings}


def test_other_images_are_told_from_real_ones_and_real_ones_are_not() -> None:
    train, held = blobs(400, seed=0), blobs(200, seed=1)
    audit = ImageLikeness(replicates=40, permutations=100)
    alike = asked(audit, ImageComparison(train, held, blobs(200, seed=7)))
    coarse = asked(audit, ImageComparison(train, held, blobs(200, seed=3, width=2.5)))
    assert {f.status for f in (alike | coarse).values()} == {"measured"}
    for space in ("pixels", "random"):
        low, _, high = bounds(alike[f"likeness.{space}.frechet"])
        assert low < 1 < high
        assert bounds(alike[f"likeness.{space}.kid_p"])[1] > 0.05
        assert bounds(coarse[f"likeness.{space}.frechet"])[0] > 1.5
        assert bounds(coarse[f"likeness.{space}.kid_p"])[1] < 0.02


def test_the_p_of_sets_that_are_alike_is_small_as_rarely_as_stated() -> None:
    """Patients of two points each, drawn alike on both sides: 300 times."""
    rng, owner, first, small = np.random.default_rng(0), np.repeat(np.arange(40), 2), np.arange(80) < 40, 0
    for _ in range(300):
        points = np.repeat(rng.normal(size=(40, 3)), 2, axis=0) + 0.3 * rng.normal(size=(80, 3))
        pooled = kernel(points, points)
        seen = kernel_distance(pooled, first)
        others = [kernel_distance(pooled, _relabel(owner, first, rng)) for _ in range(19)]
        small += (1 + sum(other >= seen for other in others)) / 20 <= 0.05
    assert small / 300 <= 0.05 + 0.035


def test_few_images_are_not_judged_as_a_set() -> None:
    found = asked(ImageLikeness(), ImageComparison(blobs(50, seed=0), blobs(50, seed=1), blobs(50, seed=2)))
    assert {f.status for f in found.values()} == {"underpowered"}


def test_members_that_were_copied_are_told() -> None:
    train, held = blobs(120, seed=0), blobs(120, seed=1)
    noise = np.random.default_rng(5).normal(0, 10, train.pixels[:60].shape)
    fake = Images((train.pixels[:60] + noise).astype(np.float32), train.about.iloc[:60], train.schema)
    found = asked(ImageMembership(), ImageComparison(train, held, fake))
    for by in ("pixels", "random"):
        assert bounds(found[f"membership.{by}.auc"])[0] > 0.6
        assert bounds(found[f"membership.{by}.tpr_at_fpr_1pct"])[0] > 0.2


def test_nobody_is_told_where_nobody_was_learned_from() -> None:
    alarms = {"pixels": 0, "random": 0, "density": 0}
    for seed in range(20):
        parts = [blobs(60, seed=1000 + 3 * seed + k) for k in range(3)]
        found = asked(ImageMembership(), ImageComparison(parts[0], parts[1], parts[2]))
        for by in alarms:
            alarms[by] += bounds(found[f"membership.{by}.auc"])[0] > 0.5
            assert found[f"membership.{by}.tpr_at_fpr_1pct"].status == "underpowered"
    assert max(alarms.values()) <= 3  # of 20, where one in forty is stated
