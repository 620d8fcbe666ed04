"""What one patient can move, at most; and that sums with little noise tell what images are like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.data.images import PATIENT, Images
from semblance.image_schema import ImageSchema
from semblance.imaging import noisy_gaussian
from semblance.imaging.crowd import Crowd, shorten
from semblance.imaging.noisy_gaussian import Plan, WaveGaussian, asked, clear_part, learn_gaussian, shrink
from semblance.imaging.waves import Waves
from semblance.privacy.accounting import epsilon_of
from semblance.privacy.events import Gaussian
from semblance.privacy.ledger import Allowance, Ledger

SCHEMA = ImageSchema(12, 10, label="kind", classes=("dark", "bright"), patient=True)
WAVES = Waves(*SCHEMA.shape)


def shown(n: int = 120, *, each: int = 2, seed: int = 0) -> Images:
    """Images of patients, `each` of one; bright ones differ along one way more than dark ones."""
    rng = np.random.default_rng(seed)
    bright = np.arange(n) // each % 2
    way = np.cos(np.pi * (np.arange(12) + 0.5) / 12)[:, None] * np.ones(10)
    far = rng.normal(0, np.where(bright, 40, 10))
    pixels = 90 + 60 * bright[:, None, None] + far[:, None, None] * way + rng.normal(0, 4, (n, 12, 10))
    about = pd.DataFrame(
        {"kind": [SCHEMA.classes[b] for b in bright], PATIENT: [f"p{i // each}" for i in range(n)]}, dtype=object
    )
    return Images(pixels.clip(0, 255).astype(np.float32)[:, None], about, SCHEMA)


def without(images: Images, patient: str) -> Images:
    return images.take((images.about[PATIENT] != patient).to_numpy())


@pytest.mark.parametrize("channels", [1, 3])
def test_waves_are_another_way_to_write_an_image(channels: int) -> None:
    waves = Waves(channels, 9, 14)
    images = np.random.default_rng(0).uniform(-1, 1, (5, channels, 9, 14)).astype(np.float32)
    assert np.allclose(waves.images(waves.of(images)), images, atol=1e-5)
    strength = np.square(waves.of(images) * waves.law).sum(axis=1)
    assert np.allclose(strength, np.square(images).sum(axis=(1, 2, 3)), rtol=1e-4), "lengths stay"
    assert 0 in waves.slowest(1)
    images[0, 0, 0, 0] = np.nan
    assert np.isfinite(waves.of(images)).all()


def test_long_vectors_are_cut_and_what_is_no_number_is_nothing() -> None:
    found = shorten(np.array([[3.0, 4.0], [0.3, 0.4], [np.nan, 1.0], [0.0, 0.0]]), 1.0)
    assert np.allclose(found, [[0.6, 0.8], [0.3, 0.4], [0, 0], [0, 0]])


@pytest.mark.parametrize("most", [1, 2, 5])
def test_a_patient_moves_every_sum_by_its_reach_at_most(most: int) -> None:
    """A patient with nine images of both classes, all as long as can be, comes or goes."""
    train = shown(30, each=3)
    odd = train.take(np.arange(9))
    odd = replace(odd, about=odd.about.assign(patient="odd", kind=[SCHEMA.classes[i % 2] for i in range(9)]))
    odd = replace(odd, pixels=np.full_like(odd.pixels, 255.0))
    about = pd.concat([train.about, odd.about], ignore_index=True)
    more = Images(np.concatenate([train.pixels, odd.pixels]), about, SCHEMA)
    fixed = np.random.default_rng(1).normal(size=(WAVES.n, 7)) * 50

    def question(images: np.ndarray, _: np.ndarray) -> np.ndarray:
        return np.asarray(WAVES.of(images) @ fixed)

    def sums(images: Images) -> tuple[np.ndarray, np.ndarray]:
        kept = Crowd.of(images.take(np.argsort(images.about[PATIENT].to_numpy(), kind="stable")), most=most)
        return kept.sums(question, reach=2.5), kept.products(question, reach=2.5)

    few = Crowd.of(more, most=most)
    assert np.bincount(more.patients).max() == 9
    assert len(few.images) == sum(min(most, k) for k in np.bincount(more.patients))
    one = Crowd.of(without(more, "odd"), most=9)
    both = Crowd.of(more, most=9)
    for name, reach in (("sums", 2.5), ("products", 2.5**2)):
        apart = getattr(both, name)(question, reach=2.5) - getattr(one, name)(question, reach=2.5)
        length = float(np.linalg.norm(apart))
        assert 0.5 * reach < length <= reach * (1 + 1e-9), name
    alone = replace(odd, schema=SCHEMA)
    for sum_of, reach in zip(sums(alone), (2.5, 6.25), strict=True):
        assert np.linalg.norm(sum_of) <= reach * (1 + 1e-9)


def test_the_triangle_that_is_told_is_as_long_as_the_products() -> None:
    """Off the diagonal each product is told once, times the root of 2."""
    vector = np.random.default_rng(0).normal(size=6)
    table, upper = np.outer(vector, vector), np.triu_indices(6)
    told = table[upper] * np.where(upper[0] == upper[1], 1.0, np.sqrt(2))
    assert np.isclose(np.linalg.norm(told), vector @ vector)


def test_the_plan_costs_what_it_says() -> None:
    """Shares add up, and the tree is what is charged, in order."""
    plan = Plan(0.05)
    alone = epsilon_of(Gaussian(10**0.5), 1e-5).epsilon
    assert epsilon_of(plan.event, 1e-5).epsilon == pytest.approx(alone, rel=1e-6), "all of rho, as one Gaussian of it"
    ledger = Ledger(allowance=Allowance(2.0, 1e-5))
    learn_gaussian(Crowd.of(shown(), most=1), WAVES, plan, ledger)
    assert [c.purpose for c in ledger.charges] == ["images/means", "images/links", "images/strengths"]
    assert epsilon_of(ledger.event, 1e-5) == epsilon_of(plan.event, 1e-5)


def test_noise_is_as_large_as_what_was_charged(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[float, float]] = []

    def watch(total: np.ndarray, noise: float, reach: float) -> np.ndarray:
        drawn.append((noise, reach))
        return total

    monkeypatch.setattr(noisy_gaussian, "noisy_sum", watch)
    ledger = Ledger(allowance=Allowance(2.0, 1e-5))
    learn_gaussian(Crowd.of(shown(), most=1), WAVES, Plan(0.05), ledger)
    assert [noise for noise, _ in drawn] == [c.event.noise_multiplier for c in ledger.charges]  # type: ignore[union-attr]


def test_a_gaussian_is_found_again_where_there_is_no_noise() -> None:
    train = shown(2000)
    found = learn_gaussian(Crowd.of(train, most=None), WAVES, Plan(float("inf")), Ledger())
    assert found.patients == pytest.approx([500, 500])
    made = drawn(found, 4000)
    for number in (0, 1):
        real = train.unit()[train.codes("kind") == number]
        fake = made[np.arange(4000) % 2 == number]
        assert np.abs(real.mean(axis=0) - fake.mean(axis=0)).max() < 0.05
        assert 0.7 < fake.std(axis=0).mean() / real.std(axis=0).mean() < 1.1


def test_what_classes_have_in_common_stays_where_noise_drowns_the_rest() -> None:
    """With a tiny budget images are dull, finite and of the right size, and classes are about equally frequent."""
    ledger = Ledger(allowance=Allowance(0.05, 1e-5))
    rho = ledger.largest(lambda rho: Plan(rho).event)
    found = learn_gaussian(Crowd.of(shown(400), most=1), WAVES, Plan(rho), ledger)
    made = drawn(found, 50)
    assert np.isfinite(made).all()
    assert made.shape == (50, 1, 12, 10)
    assert (found.patients >= 1).all()


def test_nobody_at_all_is_no_error() -> None:
    """An empty table is a neighbour of one with one patient."""
    nobody = shown().take(np.zeros(120, dtype=bool))
    ledger = Ledger(allowance=Allowance(1.0, 1e-5))
    found = learn_gaussian(Crowd.of(nobody, most=1), WAVES, Plan(0.005), ledger)
    assert np.isfinite(drawn(found, 4)).all()


def test_without_an_allowance_a_sum_is_exact() -> None:
    assert asked(np.array([1.5, 2.0]), "x", 5.0, 1.0, Ledger()).tolist() == [1.5, 2.0]


def test_what_is_only_noise_is_shrunk_to_nothing_and_what_is_clear_is_kept() -> None:
    rng = np.random.default_rng(0)
    rings = np.repeat([0, 1], 200)
    found = rng.normal(size=400) + np.repeat([0.0, 9.0], 200)
    left = shrink(found, np.ones(400), rings)
    assert np.abs(left[:200]).max() < 0.6
    assert np.allclose(left[200:], found[200:], rtol=0.05)
    noise = rng.normal(size=(80, 80)) / np.sqrt(2)
    noise = np.triu(noise, 1) + np.triu(noise, 1).T + np.diag(rng.normal(size=80))
    way = np.full((80, 1), 80**-0.5)
    assert np.abs(np.linalg.eigvalsh(clear_part(noise, 1.1))).max() < 1
    assert np.linalg.eigvalsh(clear_part(noise + 40 * way @ way.T, 1.0))[-1] == pytest.approx(40, rel=0.1)


def drawn(found: WaveGaussian, n: int) -> np.ndarray:
    return found.images(np.arange(n) % 2, np.random.default_rng(3).normal(size=(n, WAVES.n)))
