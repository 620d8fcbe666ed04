"""Does a translation hide in it what it needs to come back (Chu et al. 2017)?

What is hidden is faint and fine: coming back from an image that was disturbed a little, or stored in 256 grey levels,
is then far worse than from the image itself, and the image holds more fine detail than a true one of its kind.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.images.phantom import Patient
from semblance import pipeline
from semblance.data.images import Images
from semblance.imaging.translator import TranslatorModel

NOISE = 0.01
"""Standard deviation of the disturbance, as a share of the range."""


def hiding(model: TranslatorModel, images: Images, patients: Sequence[Patient]) -> str:
    """One paragraph. Errors are means of absolute differences inside the brain, 0 to 1."""
    run, rng = pipeline.begin(seed=0), np.random.default_rng(0)
    brain = np.concatenate([p.brain for p in patients])
    start = model.levels[0].apply(images, model.schema)
    turned = model.net.turn(start, run, forth=True)
    stored = np.round((turned + 1) * 127.5) / np.float32(127.5) - 1
    noisy = turned + (2 * NOISE * rng.standard_normal(turned.shape)).astype(np.float32)

    def error(image: NDArray[np.float32]) -> float:
        back = model.net.turn(image.astype(np.float32), run, forth=False)
        return float(np.abs(back - start)[:, 0][brain].mean() / 2)

    clean, coarse, disturbed = error(turned), error(stored), error(noisy)
    truth = np.concatenate([p.t2 for p in patients])
    ratio = fine_share((turned[:, 0] + 1) / 2 * brain) / fine_share(truth * brain)
    return (
        f"Steganography (T1 > T2 > T1, {len(images)} images): the cycle's error is {clean:.4f}, {coarse:.4f} after 256 "
        f"grey levels, {disturbed:.4f} after {NOISE:.0%} noise (the noise itself is {NOISE * 0.8:.4f}); energy of the "
        f"finest half of frequencies, as a share of all, is {ratio:.2f} of that in the true T2."
    )


def fine_share(images: NDArray[np.float32]) -> float:
    """Energy beyond half of Nyquist's frequency in either direction, as a share of all but the mean: (n, h, w)."""
    energy = np.abs(np.fft.fft2(images)) ** 2
    energy[:, 0, 0] = 0
    down, right = (np.abs(np.fft.fftfreq(size)) for size in images.shape[1:])
    fine = np.maximum(down[:, None], right[None]) > 0.25
    return float(energy[:, fine].sum() / energy.sum())
