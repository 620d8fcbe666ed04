"""Flow matching: noise becomes an image along a straight line, and a net learns where every point between is going.

A point between noise n and image x is x_t = (1 - t) n + t x; the net sees it, t and the labels, and learns its mean
velocity x - n (Lipman et al. 2023; Liu et al. 2023). Following that velocity from t = 0 to 1 draws an image. One loss,
and no image's loss depends on another image, so that gradients can be clipped image by image.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from semblance.nets.device import device
from semblance.nets.images.blocks import Context, begin
from semblance.nets.images.mirror import mirrored
from semblance.nets.images.precision import coarse
from semblance.nets.images.spectrum import Spectrum
from semblance.nets.images.unet import Shape, UNet
from semblance.nets.tensors import flat, optimiser_tensors, restore_optimiser, within

WARM_UP = 100
"""Steps over which the learning rate rises to its full size; it then falls to a hundredth along a cosine."""


class Velocity(nn.Module):
    """A point between noise and image, its time and its labels -> where it is going.

    What a Gaussian of the images' mean and spectrum would do is computed (``spectrum.py``); the net learns the rest:
    how each wave turns from noise to image, which for all waves and times has about variance 1. That is what Salimans
    and Ho (2022) predict, with an angle for each wave.
    """

    def __init__(
        self, size: tuple[int, int, int], sizes: tuple[int, ...], *, shape: Shape, told: int, beside: int = 0
    ) -> None:
        """Weights are to be filled by `blocks.begin`, the spectrum by `Spectrum.learn`.

        Args:
            size: Channels, height, width. sizes: Labels of each condition. told: Length of the context.
            beside: Channels of what else the net sees of each pixel.
        """
        super().__init__()
        self.channels = size[0]
        self.spectrum = Spectrum(*size, labels=sizes[0] if sizes else 0)
        self.context = Context(sizes, told, time=True)
        self.trunk = UNet(size[0] + beside, size[0], shape=shape, told=told)

    def forward(self, point: Tensor, time: Tensor, labels: Tensor) -> Tensor:
        """(n, c + beside, h, w), what is seen beside the point last, (n,), (n, conditions) -> (n, c, h, w)."""
        gaussian, t = self.spectrum.of(labels), time[:, None, None, None]
        point, beside = point[:, : self.channels], point[:, self.channels :]
        turned = self.spectrum.waves(point - t * gaussian.mean) / gaussian.spread(t)
        turning = self.turning(turned, time, labels, beside)
        return self.spectrum.pixels(gaussian.velocity(turned, turning, t)) + gaussian.mean

    def turning(self, turned: Tensor, time: Tensor, labels: Tensor, beside: Tensor | None = None) -> Tensor:
        """How fast each wave turns, by its angle; waves in units of their spread on the way: (n, c, h, w), both.

        Args:
            time: (n,). labels: (n, conditions), -1 for unknown. beside: What else is seen: (n, beside, h, w).
        """
        t = time[:, None, None, None]
        away = self._point(turned, time, labels) - t * self.spectrum.mean[:1]
        seen = away / (t**2 + (1 - t) ** 2).sqrt()
        if beside is not None:
            seen = torch.cat([seen, beside], dim=1)
        return self.spectrum.waves(self.trunk(seen, self.context(labels, time=time)))

    def guided(self, turned: Tensor, time: Tensor, labels: Tensor, beside: Tensor | None, guidance: float) -> Tensor:
        """`turning`, gone on beyond what it is without labels, by so many times (Ho and Salimans 2022)."""
        turning = self.turning(turned, time, labels, beside)
        if not guidance:
            return turning
        point = self._point(turned, time, labels)
        seen = point if beside is None else torch.cat([point, beside], dim=1)
        gaussian, plain = self.spectrum.of(labels), self(seen, time, torch.full_like(labels, -1))
        waves = self.spectrum.waves(plain - gaussian.mean)
        return turning + guidance * (turning - gaussian.turning(turned, waves, time[:, None, None, None]))

    def _point(self, turned: Tensor, time: Tensor, labels: Tensor) -> Tensor:
        """Where turned waves are, in pixels."""
        gaussian, t = self.spectrum.of(labels), time[:, None, None, None]
        return self.spectrum.pixels(turned * gaussian.spread(t)) + t * gaussian.mean


@dataclass(frozen=True, slots=True)
class Tuning:
    """How a velocity is learned; the fields are those of the recipe (``generators/images/flow.py``)."""

    learning_rate: float
    ema: float
    drop: float
    spread: float
    centre: float
    pairing: bool
    mirror: str
    precision: str


class Matching:
    """A velocity that learns: a Trainee (``nets/training.py``).

    Args:
        images: (n, c, h, w) of about unit variance, and what is seen beside them as further channels.
        labels: (n, conditions), -1 for unknown.
    """

    def __init__(
        self, net: Velocity, images: Tensor, labels: Tensor, *, tuning: Tuning, start: torch.Generator
    ) -> None:
        begin(net, start)
        net.spectrum.learn(images[:, : net.channels], labels)
        self._images, self._labels, self._tuning = images, labels, tuning
        self.net = net.to(device())
        self.average = {name: value.detach().clone() for name, value in net.state_dict().items()}
        self._optimiser = torch.optim.AdamW(
            net.parameters(), lr=tuning.learning_rate, betas=(0.9, 0.99), weight_decay=0.0, fused=True
        )
        self.taken, self._ease = 0, 1.0

    def step(self, rows: Tensor, noise: torch.Generator, share: float) -> Mapping[str, float]:
        """One update of the velocity, and of its average."""
        rate = self._ease * self._tuning.learning_rate * min(1.0, (self.taken + 1) / WARM_UP)
        for group in self._optimiser.param_groups:
            group["lr"] = rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)))
        with coarse(self._tuning.precision):
            losses = self.losses(rows, noise)
        loss = losses.mean()
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        self.taken += 1
        kept = min(self._tuning.ema, self.taken / (self.taken + 10))
        for name, value in self.net.state_dict().items():
            self.average[name].lerp_(value, 1 - kept)
        return {"loss": float(loss.detach())}

    def losses(self, rows: Tensor, noise: torch.Generator) -> Tensor:
        """The mean square error of each image's velocity: (batch,)."""
        image, labels = self._images[rows], self._labels[rows]
        image = mirrored(image, self._tuning.mirror, noise)
        start = torch.randn(image.shape, generator=noise)
        if self._tuning.pairing:
            start = start[nearest(start, image)]
        time = torch.sigmoid(self._tuning.centre + self._tuning.spread * torch.randn(len(rows), generator=noise))
        hidden = torch.rand(len(rows), generator=noise) < self._tuning.drop
        labels = torch.where(hidden[:, None], -1, labels)
        start, image, time, labels = (part.to(device()) for part in (start, image, time, labels))
        point = torch.lerp(start, image, time[:, None, None, None])
        wrong: Tensor = self.net(point, time, labels) - (image - start)
        return wrong.square().mean(dim=(1, 2, 3))

    def calm(self, times: int) -> None:
        """Halve the learning rate each time."""
        self._ease = 0.5**times

    def state(self) -> dict[str, Tensor]:
        """The net, its average, the optimiser, and the steps taken."""
        return {
            **flat("net", self.net.state_dict()),
            **flat("average", self.average),
            **flat("optimiser", optimiser_tensors(self._optimiser)),
            "taken": torch.tensor(self.taken),
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take on what `state` told."""
        self.net.load_state_dict(within("net", state))
        self.average = {name: value.clone() for name, value in within("average", state).items()}
        restore_optimiser(self._optimiser, within("optimiser", state))
        self.taken = int(state["taken"])


def nearest(start: Tensor, images: Tensor) -> Tensor:
    """Which noise goes to which image so that all ways together are shortest (Tong et al. 2024): (batch,)."""
    from scipy.optimize import linear_sum_assignment

    cost = torch.cdist(images.flatten(1), start.flatten(1)).square()
    return torch.from_numpy(linear_sum_assignment(cost.numpy())[1])
