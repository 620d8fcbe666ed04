"""What the audit of copies says where it can, and where too few patients can be asked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

import semblance as sb
from semblance.audits.images.copies import ImageCopies
from semblance.data.images import Images
from semblance.evidence import Finding
from semblance.image_contracts import ImageComparison
from semblance.image_schema import ImageSchema


def bounds(finding: Finding) -> tuple[float, float, float]:
    """Low, value, high; not a number where there is none."""
    low, value, high = (np.nan if x is None else x for x in (finding.low, finding.value, finding.high))
    return low, value, high


def blobs(n: int, *, seed: int) -> Images:
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.normal(size=(n, 28, 28)), (0, 2.5, 2.5))
    pixels = np.clip(127 + 60 * field / field.std(), 0, 255).round().astype(np.float32)[:, None]
    return Images(pixels, pd.DataFrame(index=range(n)), ImageSchema(28, 28))


def test_copies_are_counted_and_shown_to_the_board_alone() -> None:
    train, held, fake = (blobs(n, seed=seed) for seed, n in enumerate((130, 125, 30)))
    fake.pixels[:6] = train.pixels[:6]
    fake.pixels[6:12] = train.pixels[6:12, :, :, ::-1]
    held.pixels[0] = train.pixels[50]
    examined = ImageCopies(planted=4).judge(ImageComparison(train, held, fake), sb.begin(seed=0, quick=True))
    found = {f.name: f for f in examined.findings}
    assert all(f.name.startswith("copies.") and f.question and f.status == "measured" for f in found.values())
    assert found["copies.exact.share"].value == pytest.approx(0.2)
    assert found["copies.holdout.repeated"].value == pytest.approx(1 / 125)
    assert found["copies.near.share"].value == pytest.approx(0.4, abs=0.07)
    assert bounds(found["copies.near.excess"])[0] > 0
    assert bounds(found["copies.near.p"])[1] < 1e-6
    assert bounds(found["copies.patients.share"])[0] > (found["copies.patients.share"].baseline or 0.0)
    assert found["copies.power.flip"].value == 1
    assert bounds(found["copies.distance.ratio"])[1] < (found["copies.distance.ratio"].baseline or 0.0)
    (plate,) = examined.plates
    assert plate.board
    assert plate.png.startswith(b"\x89PNG")


def test_too_few_patients_are_not_asked() -> None:
    comparison = ImageComparison(blobs(40, seed=0), blobs(20, seed=1), blobs(10, seed=2))
    examined = ImageCopies().judge(comparison, sb.begin(seed=0))
    found = {f.name: f.status for f in examined.findings}
    assert found["copies.near.share"] == found["copies.power.crop"] == "underpowered"
    assert found["copies.exact.share"] == "measured"
    assert not examined.plates
