"""How like the truth a translated image is, inside the brain and on a fixed scale.

Conventions decide such numbers more than methods do, so they are fixed here. Values are 0 to 1 (255 grey levels), and
the range of PSNR and SSIM is 1, never that of the image at hand. All pixels of a patient's brain mask count together:
one mean square error, not a mean of slices' PSNR. SSIM (Wang et al. 2004) is computed on whole slices, the background
included, with a Gaussian window of standard deviation 1.5 pixels cut off at 5 (11 × 11), K1 = .01, K2 = .03, and its
map is averaged over the mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float32]
SIGMA, RADIUS, K1, K2 = 1.5, 5, 0.01, 0.03
HEAD = "| | PSNR | SSIM | MAE | r |\n| --- | --- | --- | --- | --- |"


@dataclass(frozen=True)
class Similarity:
    psnr: float
    ssim: float
    mae: float
    r: float

    def __str__(self) -> str:
        return f"{self.psnr:.1f} | {self.ssim:.3f} | {self.mae:.3f} | {self.r:.3f}"


def compare(made: Floats, truth: Floats, mask: NDArray[np.bool_]) -> Similarity:
    """Slices of one patient, 0 to 1: (n, height, width) each."""
    a, b = made[mask].astype(np.float64), truth[mask].astype(np.float64)
    psnr = -10 * np.log10(max(float(np.mean((a - b) ** 2)), 1e-12))
    correlation = np.corrcoef(a, b)[0, 1] if a.std() > 0 else 0.0
    return Similarity(float(psnr), ssim(made, truth, mask), float(np.abs(a - b).mean()), float(correlation))


def ssim(made: Floats, truth: Floats, mask: NDArray[np.bool_]) -> float:
    def window(image: NDArray[np.float64]) -> NDArray[np.float64]:
        return ndimage.gaussian_filter(image, (0, SIGMA, SIGMA), truncate=RADIUS / SIGMA)

    a, b = made.astype(np.float64), truth.astype(np.float64)
    ma, mb = window(a), window(b)
    va, vb, covariance = window(a * a) - ma**2, window(b * b) - mb**2, window(a * b) - ma * mb
    c1, c2 = K1**2, K2**2
    found = (2 * ma * mb + c1) * (2 * covariance + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
    return float(found[mask].mean())
