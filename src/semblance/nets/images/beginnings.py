"""Where the generator of images begins: at Gaussians with the training images' means and main ways to differ.

A generator that begins with noise first has to find what images are like, and drops the ways in which few of them
differ before it knows them. This one begins with all of the main ways, one for each of its first numbers of noise, and
with the mean of each label and how far its images go each way, and learns what is wrong with a Gaussian, and how much
of each way to keep.

Privacy: the mean, the labels' means and the main ways of the training images stand in the model as they are. Few images
have a telling mean.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from semblance.nets.images.frame import Frame, Labels
from semblance.nets.images.resample import double, halve

PLACES = 1024
"""Places of the coarse image that a beginning is made of, all channels together, at most."""
WAYS = 48
ROWS_A_WAY = 10
"""Main ways to differ, at most, and images behind each."""
DOUBT = 20.0
"""Images at the mean that each label's are mixed with, so that a rare label leans little on its few patients."""


class Beginning(nn.Module):
    """Noise and labels -> an image of a Gaussian."""

    def __init__(self, frame: Frame, sizes: tuple[int, ...], *, latent: int) -> None:
        """Nothing at all, until `learn` or `load_state_dict`."""
        super().__init__()
        self.frame = frame
        self.high, self.wide = (side * frame.fold for side in frame.maps[0])
        self.halved = 0
        while frame.channels * self.high * self.wide > PLACES and self.high % 2 == self.wide % 2 == 0:
            self.high, self.wide, self.halved = self.high // 2, self.wide // 2, self.halved + 1
        places = frame.channels * self.high * self.wide
        self.ways: Tensor
        self.mean: Tensor
        self.register_buffer("ways", torch.zeros(latent, places))
        self.register_buffer("mean", torch.zeros(places))
        self.labels = Labels(sizes, places).requires_grad_(False)
        self.leaning = nn.Parameter(torch.zeros(latent))
        self.leanings = Labels(sizes, latent)  # logarithms of how much of each way is left, and of what labels add

    def forward(self, noise: Tensor, labels: Tensor, ramp: float) -> Tensor:
        """(n, latent), (n, conditions) -> (n, channels, height, width), or a little more."""
        with torch.autocast(noise.device.type, enabled=False):
            size = torch.exp(self.leaning + ramp * self.leanings(labels))
            flat = self.mean + (noise * size) @ self.ways + ramp * self.labels(labels)
        image: Tensor = flat.reshape(-1, self.frame.channels, self.high, self.wide)
        for _ in range(self.halved):
            image = double(image)
        return image

    def learn(self, images: NDArray[np.float32], labels: NDArray[np.int64]) -> None:
        """Take on the mean, the labels' means and the main ways of images: (n, c, h, w), (n, conditions)."""
        flat = self._coarse(images)
        mean = flat.mean(axis=0)
        rest = flat - mean
        n = min(WAYS, len(self.ways), len(images) // ROWS_A_WAY)
        with torch.no_grad():
            self.mean.copy_(torch.from_numpy(mean))
            for column, table in zip(labels.T, self.labels.tables, strict=True):
                rest = rest - _taught(table, rest, column, lambda mine: mine.sum(axis=0) / (len(mine) + DOUBT))
            away = torch.from_numpy(rest).double()
            spread, axes = torch.linalg.eigh(away.T @ away / len(away))  # NumPy's threads are not ours to count
            axes, sizes = axes.flip(1)[:, :n], spread.flip(0)[:n].clamp(min=1e-12).sqrt()
            self.ways.zero_()
            self.ways[:n] = (axes * sizes).T
            steps: NDArray[np.floating] = np.ones((len(rest), len(self.ways)), dtype=np.float32)
            steps[:, :n] = (away @ axes / sizes).numpy()
            for column, table in zip(labels.T, self.leanings.tables, strict=True):
                steps = steps / np.exp(_taught(table, steps, column, _leaning))

    def _coarse(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, c, h, w) -> (n, places)."""
        whole = torch.from_numpy(images)
        down = (self.high << self.halved) - images.shape[2]
        right = (self.wide << self.halved) - images.shape[3]
        whole = nn.functional.pad(whole, (0, right, 0, down), mode="replicate")
        for _ in range(self.halved):
            whole = halve(whole)
        found: NDArray[np.float32] = whole.flatten(1).numpy()
        return found


def _taught(
    table: nn.Module, rows: NDArray[np.float32], column: NDArray[np.int64], tell: Callable[..., NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Fill a table with what is to be told of each label's rows, and tell it of each row; 0 where it has no label."""
    assert isinstance(table, nn.Embedding)
    for label in range(table.num_embeddings):
        table.weight[label] = torch.from_numpy(tell(rows[column == label]))
    told = table.weight.detach().numpy()[np.maximum(column, 0)]
    return np.where((column >= 0)[:, None], told, np.float32(0))


def _leaning(mine: NDArray[np.float32]) -> NDArray[np.float32]:
    """Half the logarithm of the mean square of each column, as if `DOUBT` more rows had one of 1: (n, d) -> (d,)."""
    found: NDArray[np.float32] = 0.5 * np.log(((mine**2).sum(axis=0) + DOUBT) / (len(mine) + DOUBT))
    return found
