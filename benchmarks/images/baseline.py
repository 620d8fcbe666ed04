"""The baseline that a generator must beat: a Gaussian for each class in the space of principal components."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semblance.data.images import Images
from semblance.imaging.manifold import PixelSpace


def gaussian(train: Images, *, seed: int, components: int = 48) -> Images:
    """As many images as `train`, with its labels: mean and covariance of each class, and nothing else of it."""
    rng = np.random.default_rng(seed)
    unit = train.unit()
    space = PixelSpace.learn(unit, components=components)
    points, labels = space.of(unit), train.codes(train.schema.label)
    drawn = np.empty_like(points)
    for label in np.unique(labels):
        mine = labels == label
        mean, spread = points[mine].mean(axis=0), np.cov(points[mine].T)
        drawn[mine] = rng.multivariate_normal(mean, spread, size=int(mine.sum()))
    images = (drawn @ space.axes.T + space.mean).reshape(unit.shape).astype(np.float32)
    return replace(train, pixels=train.schema.from_unit(images), origin="synthetic")
