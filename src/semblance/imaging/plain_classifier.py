"""A classifier that learns in milliseconds: logistic regression on what can be seen from afar and how rough it is.

It is no rival of a net. It serves where a question needs hundreds of classifiers, and where PyTorch is not installed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize, special

from semblance.imaging.pooled import pooled

Floats = NDArray[np.float64]
PLACES = 7
"""Blocks along each side whose mean brightness is told."""
COARSE = 3
"""Blocks along each side whose roughness is told, along and across, at three scales."""
RIDGE = 1.0
"""Weight of the squared coefficients, each of a feature of variance 1, against the summed log loss."""


@dataclass(frozen=True, eq=False)
class PlainClassifier:
    """Fitted.

    Attributes:
        mean, spread: Of each feature: (d,). weights: (d + 1, classes), the last row for none.
    """

    mean: Floats
    spread: Floats
    weights: Floats

    @classmethod
    def learn(cls, images: NDArray[np.float32], labels: NDArray[np.int64], *, n_classes: int) -> PlainClassifier:
        """From images, (n, channels, height, width) from -1 to 1, and numbers of classes, (n,)."""
        found = features(images)
        mean, spread = found.mean(axis=0), np.maximum(found.std(axis=0), 1e-6)
        seen = _with_one((found - mean) / spread)
        truth = np.eye(n_classes)[labels]

        def loss(flat: Floats) -> tuple[float, Floats]:
            weights = flat.reshape(-1, n_classes)
            scores = seen @ weights
            logs = special.log_softmax(scores, axis=1)
            held = weights.copy()
            held[-1] = 0  # how frequent classes are is not shrunk
            slope = seen.T @ (np.exp(logs) - truth) + RIDGE * held
            return float(-(logs * truth).sum() + RIDGE * (held**2).sum() / 2), slope.ravel()

        start = np.zeros((seen.shape[1], n_classes))
        best = optimize.minimize(
            loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 60, "ftol": 1e-5}
        )
        return cls(mean, spread, best.x.reshape(-1, n_classes))

    def chances(self, images: NDArray[np.float32]) -> Floats:
        """Probability of each class: (n, channels, height, width) -> (n, classes)."""
        scores = _with_one((features(images) - self.mean) / self.spread) @ self.weights
        return np.asarray(special.softmax(scores, axis=1))


def features(images: NDArray[np.float32]) -> Floats:
    """Mean brightness of blocks, and how rough each part is along and across, at three scales: (n, d)."""
    told = [pooled(images, most=PLACES).reshape(len(images), -1).astype(np.float64)]
    fine = images.astype(np.float64)
    for _ in range(3):
        for axis in (2, 3):
            steps = np.abs(np.diff(fine, axis=axis))
            told.append(pooled(steps, most=COARSE).reshape(len(images), -1).astype(np.float64))
        fine = ndimage.uniform_filter(fine, (0, 0, 2, 2), mode="nearest")
    return np.concatenate(told, axis=1)


def _with_one(found: Floats) -> Floats:
    return np.concatenate([found, np.ones((len(found), 1))], axis=1)
