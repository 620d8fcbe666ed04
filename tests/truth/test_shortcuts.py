"""Shortcuts that were planted are found, at their place; images without any alarm no more often than stated."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semblance.audits.images.shortcut import Shortcut
from semblance.contracts import Run
from semblance.data.images import PATIENT, Images
from semblance.engines.local import Local
from semblance.evidence import Finding
from semblance.image_contracts import ImageComparison
from semblance.image_schema import ImageSchema
from semblance.privacy.ledger import Ledger
from semblance.seeds import Seeds
from semblance.shifting import patches, views
from semblance.shifting.odd import count_odd
from semblance.shifting.probe import Asked, probe

SIDE = 20


def run(seed: int = 0) -> Run:
    return Run(Seeds(seed), Ledger(), Local(1), quick=True)


def bodies(n: int, seed: int) -> Any:
    """Smooth bodies with noise, 0 to 255: (n, side, side)."""
    rng = np.random.default_rng(seed)
    down, right = np.mgrid[:SIDE, :SIDE]
    middle, wide = rng.uniform(8, 12, (2, n, 1, 1)), rng.uniform(4, 6, (2, n, 1, 1))
    body = np.exp(-(((down - middle[0]) / wide[0]) ** 2) - ((right - middle[1]) / wide[1]) ** 2)
    return 40 + 150 * body + rng.normal(0, 5, (n, SIDE, SIDE))


def scans(n: int, seed: int, *, marked: float = 0.0, patients: int = 1, site: float | None = None) -> Images:
    """Two classes that nothing tells apart, but a mark at rows and columns 2 to 4 in a share of the second.

    Args:
        patients: Images of each patient, all of one class. site: Chance that a patient of a class is of "its" hospital,
            whose images are a little brighter.
    """
    rng = np.random.default_rng(seed + 10_000)
    label = np.repeat(rng.integers(0, 2, n // patients), patients)
    values = bodies(n, seed)
    if patients > 1:  # a patient looks like itself
        values = values[np.arange(n) // patients * patients] + rng.normal(0, 5, values.shape)
    values[(label == 1) & (rng.random(n) < marked), 2:5, 2:5] = 230
    about = {"finding": np.where(label == 1, "ill", "well"), PATIENT: [f"p{i // patients}" for i in range(n)]}
    attributes: dict[str, tuple[str, ...]] = {}
    if site is not None:
        own = rng.random(n) < site
        about["site"], attributes = np.where(own == (label == 1), "B", "A"), {"site": ("A", "B")}
        values[about["site"] == "B"] += 12
    schema = ImageSchema(SIDE, SIDE, label="finding", classes=("well", "ill"), patient=True, attributes=attributes)
    pixels = np.clip(np.round(values), 0, 255).astype(np.float32)[:, None]
    return Images(pixels, pd.DataFrame(about, dtype=object), schema)


@cache
def judged(*, train: float, made: float, seed: int = 1) -> dict[str, Finding]:
    parts = (scans(400, seed, marked=train), scans(300, seed + 1, marked=train), scans(300, seed + 2, marked=made))
    return {f.name: f for f in Shortcut().judge(ImageComparison(*parts), run(seed)).findings}


def test_a_planted_mark_is_found_at_its_place() -> None:
    found = judged(train=0.6, made=0.6)
    assert found["shortcut.mark.p"].value == pytest.approx(1 / 200)
    top, bottom, left, right = found["shortcut.odd.excess"].detail["place"]
    assert top <= 3 <= bottom
    assert left <= 3 <= right
    excess = found["shortcut.odd.excess"]
    assert excess.low is not None
    assert 0.3 < excess.low < 0.6
    assert excess.detail["label"] == "ill"
    swapped = found["shortcut.swap.excess"]
    assert swapped.low is not None
    assert swapped.low > 0.05
    assert swapped.detail["p"] < 0.001


def test_a_generator_that_writes_the_mark_more_often_is_told_from_one_that_does_not() -> None:
    same, more = judged(train=0.6, made=0.6), judged(train=0.6, made=1.0)
    name = "shortcut.amplified.auc"
    assert same[name].low is not None
    assert same[name].high is not None
    assert same[name].low < 0 < same[name].high
    assert more[name].low is not None
    assert more[name].low > 0.05
    made, held = more[name].detail["seen"]["with"]
    assert made > 0.95
    assert 0.45 < held < 0.75


def test_images_without_a_mark_are_quiet_and_skip_what_follows_from_one() -> None:
    found = judged(train=0.0, made=0.0, seed=4)
    assert found["shortcut.mark.p"].value is not None
    assert found["shortcut.mark.p"].value > 0.05
    assert found["shortcut.swap.excess"].status == "skipped"
    assert found["shortcut.odd.excess"].low is not None
    assert found["shortcut.odd.excess"].low <= 0


def test_a_site_that_shows_and_tells_is_placed_where_both_are_high() -> None:
    train = scans(400, 7, site=0.9)
    nobody = train.take(np.arange(0))
    examined = Shortcut().judge(ImageComparison(train, nobody, nobody), run(7))
    found = {f.name: f for f in examined.findings}
    for name in ("shortcut.useful.site.auc", "shortcut.readable.site.auc"):
        assert found[name].status == "measured"
        assert found[name].low is not None
        assert found[name].low > 0.7
    assert found["shortcut.useful.site.auc"].detail["p"] < 0.01
    assert len(examined.plates) == 2
    assert all(plate.png.startswith(b"\x89PNG") and not plate.board for plate in examined.plates)
    innocent = scans(400, 8, site=0.5)
    found = {f.name: f for f in Shortcut().judge(ImageComparison(innocent, nobody, nobody), run(8)).findings}
    assert found["shortcut.useful.site.auc"].detail["p"] > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("patients", [1, 3])
def test_nothing_planted_alarms_as_often_as_stated(patients: int) -> None:
    """Of 40 sets of images, 2 should have p ≤ .05 by chance; more than 7 would come once in 1,500."""
    alarms = dict.fromkeys(("border", "patch", "mark", "odd"), 0)
    for seed in range(40):
        images = scans(160 * patients, 100 + seed, patients=patients)
        rng = np.random.default_rng(seed)
        images = images.take(np.arange(0, len(images), patients))
        codes, grey = images.codes("finding"), views.small(images)
        asked = Asked.deal(codes, rng)
        alarms["border"] += probe(views.border(images), asked, asked.relabelled(99, rng)).p <= 0.05
        alarms["patch"] += patches.scan(grey, asked, 99, rng).p <= 0.05
        alarms["mark"] += patches.scan(grey, asked, 99, rng, alone=True).p <= 0.05
        alarms["odd"] += bool(count_odd(grey, codes).places)
    assert max(alarms.values()) <= 7, alarms
    assert alarms["odd"] <= 2, alarms


def test_patients_with_many_images_count_once() -> None:
    train = scans(600, 11, patients=10)
    nobody = train.take(np.arange(0))
    found = {f.name: f for f in Shortcut().judge(ImageComparison(train, nobody, nobody), run(11)).findings}
    assert found["shortcut.border.auc"].n == 60
    few = train.take(np.arange(300))
    assert Shortcut().judge(ImageComparison(few, nobody, nobody), run(11)).findings[0].status == "underpowered"


def test_without_label_and_site_nothing_can_be_asked() -> None:
    train = scans(40, 12)
    bare = Images(train.pixels, train.about[[PATIENT]], ImageSchema(SIDE, SIDE, patient=True))
    finding = Shortcut().judge(ImageComparison(bare, bare, bare), run()).findings[0]
    assert (finding.status, finding.name) == ("skipped", "shortcut.mark.p")
