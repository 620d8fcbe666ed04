"""Where an image shows a body and where background: water inside a head can be as black as the air around it.

What is not black is closed over gaps and filled, so that dark folds that open outwards and dark holes inside count as
body. What is dark around it is background, which no translation has to change.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Unit = NDArray[np.float32]
Mask = NDArray[np.bool_]

BLACK = -0.96
"""What is darker, -1 to 1, is black."""
CUT = 0.1
"""Share of pixels with the very lowest value from which on that value alone is black: somebody has cut it away."""
GAP = 1 / 32
"""Half the width of gaps that are closed, as a share of a side."""


def body_of(images: Unit) -> Mask:
    """(n, channels, h, w), -1 to 1 -> (n, 1, h, w)."""
    shown: Mask = np.asarray((images > black_of(images)).any(axis=1), dtype=bool)
    if shown.all():
        return shown[:, None]
    reach = max(1, round(min(images.shape[2:]) * GAP))
    return np.stack([_closed(one, reach) for one in shown])[:, None]


def core_of(body: Mask) -> Mask:
    """The body without its rim, where gaps were closed and pixels are half background; or all of it, if that is all."""
    reach = max(1, round(min(body.shape[2:]) * GAP))
    cores = [ndimage.binary_erosion(one[0], iterations=reach, border_value=1) for one in body]
    return np.stack([core if core.any() else one[0] for core, one in zip(cores, body, strict=True)])[:, None]


def black_of(images: Unit) -> float:
    """The brightest value that is black."""
    lowest = float(images.min())
    return lowest if (images == lowest).mean() >= CUT else BLACK


def _closed(shown: Mask, reach: int) -> Mask:
    """Beyond the frame is background, or what is dark between a body and the frame would count as a gap."""
    closed = ndimage.binary_closing(np.pad(shown, reach), iterations=reach)[reach:-reach, reach:-reach]
    return np.asarray(ndimage.binary_fill_holes(closed | shown), dtype=bool)
