"""The judges of translation, judged: similarity by hand, and lesions that were erased or invented on purpose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.images.lesions import cores, tally, threshold
from benchmarks.images.phantom import NORTH, SIZE, Hospital, Patient, scan, simulate
from benchmarks.images.similarity import compare
from benchmarks.images.simple_translators import inverted_histogram_match, negative, paired_lookup
from benchmarks.images.steganography import fine_share


def round_patient(lesions: tuple[tuple[int, int, int], ...]) -> Patient:
    """Four slices of white matter in a disc; lesions at (slice, row, column), 5 pixels across."""
    down, right = np.mgrid[:SIZE, :SIZE]
    brain = np.broadcast_to(np.hypot(down - 32, right - 32) < 28, (4, SIZE, SIZE))
    share = np.zeros(brain.shape, np.float32)
    for number, row, column in lesions:
        share[number] = np.maximum(share[number], np.hypot(down - row, right - column) < 2.6)
    t2 = (0.3 * brain + 0.3 * share + 0.01 * np.sin(down)).astype(np.float32)
    return Patient((0.9 * brain - t2).astype(np.float32), t2, brain, brain.astype(np.float32), share)


def test_similarity_by_hand() -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.2, 0.8, (2, 32, 32)).astype(np.float32)
    mask = np.zeros(truth.shape, bool)
    mask[:, 8:24, 8:24] = True
    same = compare(truth + np.where(mask, 0, 0.5).astype(np.float32), truth, mask)
    assert (same.mae, same.r) == (0.0, pytest.approx(1.0))
    shifted = compare(truth + np.float32(0.1), truth, mask)
    assert shifted.psnr == pytest.approx(20.0, abs=1e-3), "a mean square of .01 on a range of 1"
    assert shifted.mae == pytest.approx(0.1, abs=1e-6)
    assert 0.5 < shifted.ssim < 1.0
    assert compare(1 - truth, truth, mask).ssim < 0
    assert compare(truth, truth, mask).ssim == pytest.approx(1.0)


def test_simple_translators_find_a_planted_line() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0.1, 0.9, (3, 16, 16)).astype(np.float32)
    mask = np.ones(x.shape, bool)
    y = 0.8 - 0.7 * x
    other = rng.permutation(y.ravel())
    assert np.abs(inverted_histogram_match(x, mask, x[mask], other) - y).max() < 0.02
    assert np.abs(paired_lookup(x, mask, x[mask], y[mask]) - y).max() < 0.02
    assert np.allclose(negative(x, mask), 1 - x)
    mask[0] = False
    assert (negative(x, mask)[0] == 0).all()


def test_erased_and_invented_lesions_are_counted() -> None:
    patient = round_patient(((0, 32, 32), (0, 20, 40), (1, 30, 25)))
    assert len(cores(patient)) == 3
    bright = threshold([patient])
    assert bright == pytest.approx(0.15, abs=0.01)
    kept = tally([patient.t2], [patient], bright)
    assert (kept.erased, kept.invented, kept.lesions, kept.slices) == (0.0, 0.0, 3, 2)
    healed = patient.t2 - 0.3 * patient.lesions * (np.arange(4) == 0)[:, None, None]
    assert tally([healed.astype(np.float32)], [patient], bright).erased == pytest.approx(2 / 3)
    painted = patient.t2.copy()
    painted[3, 40:43, 30:33] += 0.3
    assert tally([painted], [patient], bright).invented == pytest.approx(1 / 2)
    speckled = patient.t2.copy()
    speckled[3, 40, 30:33] += 0.3
    assert tally([speckled], [patient], bright).invented == 0.0, "three pixels are no lesion"


def test_simulated_patients_obey_the_equation_of_the_spin_echo() -> None:
    """A block of one tissue without noise, blur or bias is as bright as the equation says."""
    clean = Hospital("clean", (500.0, 12.0), (4500.0, 100.0), bias=1e-9, noise=0.0, blur=0.0)
    shares = {"wm": np.ones((2, 8, 8), np.float32), "csf": np.zeros((2, 8, 8), np.float32)}
    known = {"wm": (850.0, 75.0, 0.71), "csf": (4000.0, 1200.0, 1.0)}
    seen = scan(np.random.default_rng(0), shares, known, clean, clean.t2)
    wanted = 0.71 * (1 - np.exp(-4500 / 850)) * np.exp(-100 / 75)
    np.testing.assert_allclose(seen, wanted, rtol=1e-4)
    assert seen.shape == (2, 4, 4)


def ball() -> dict[str, np.ndarray]:
    """A made-up template: a ball of white matter in a shell of grey, with room for fluid."""
    x, y, z = np.mgrid[:197, :233, :189].astype(np.float32)
    far = np.sqrt((x - 98) ** 2 + (y - 116) ** 2 + (0.3 * (z - 90)) ** 2)
    wm, brain = np.clip((60 - far) / 4, 0, 1), np.clip((76 - far) / 4, 0, 1)
    return {"wm": wm, "gm": np.clip((72 - far) / 4, 0, 1) - wm, "brain": brain}


@pytest.mark.slow
def test_simulated_lesions_are_where_the_truth_says() -> None:
    maps = ball()
    ill = simulate(maps, np.random.default_rng(1), NORTH, ill=True, slices=8)
    well = simulate(maps, np.random.default_rng(2), NORTH, ill=False, slices=8)
    assert well.lesions.max() == 0
    inside, white = ill.lesions > 0.8, (ill.wm > 0.95) & (ill.lesions < 0.01)
    assert inside.sum() > 10
    assert ill.t2[inside].mean() > 1.3 * ill.t2[white].mean()
    assert ill.t1[inside].mean() < 0.95 * ill.t1[white].mean()
    assert (ill.t1[~ill.brain] == 0).all()
    again = simulate(maps, np.random.default_rng(1), NORTH, ill=True, slices=8)
    assert np.array_equal(ill.t2, again.t2)
    noisy = simulate(maps, np.random.default_rng(1), replace(NORTH, noise=0.1), ill=True, slices=8)
    assert fine_share(noisy.t2 * noisy.brain) > fine_share(ill.t2 * ill.brain)


def test_fine_detail_is_told_from_coarse() -> None:
    down = np.mgrid[:32, :32][0]
    assert fine_share(np.sin(2 * np.pi * down / 16)[None].astype(np.float32)) < 0.01
    assert fine_share(np.sin(2 * np.pi * down / 2.5)[None].astype(np.float32)) > 0.9
