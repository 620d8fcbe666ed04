"""Two ways between two kinds of images that were never paired, learned together (Zhu et al. 2017).

A way forth and a way back are trained against a critic of each kind. What went forth and came back must be what it was
(the cycle), and what is of the other kind already must be left alone (the identity); both are what ties a turned image
to the one it was made of. Neither says that the tie is right: where the two kinds differ in what they show, critics are
best pleased by showing it (Cohen et al. 2018).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from semblance.nets.device import device
from semblance.nets.images.blocks import begin
from semblance.nets.images.image_pool import ImagePool
from semblance.nets.images.jitter import jitter
from semblance.nets.images.patch_critic import PatchCritic
from semblance.nets.images.precision import coarse
from semblance.nets.images.unet import Shape, UNet
from semblance.nets.losses import GAMES
from semblance.nets.tensors import flat, optimiser_tensors, restore_optimiser, within

WARM_UP = 100
"""Steps over which the learning rate rises to its full size; it then falls to a twentieth along a cosine."""
HUBER = 0.2
"""Differences between what went forth and back and what it was count by their square below this. As they are, they
pull as hard at nothing as at much, and two ways that begin as each other's inverse never leave their beginning."""
TOLD, TIGHTEN, TIGHTEST = 0.7, 0.02, 1000.0
"""Critics that rightly tell apart more than this share of pairs of places know the images by heart, as they soon do
where there are few: the penalty is raised, step by step, until they no longer do (in the manner of Karras et al. 2020,
who raise augmentation), and lowered again. How fast, as a logarithm, and up to which multiple."""
LAZY = 4
"""Steps for one with the critics' penalty, which then weighs as much more (Karras et al. 2020, appendix B)."""


class Way(nn.Module):
    """From one kind of image to the other: (n, channels, h, w) -> the same shape, about -1 to 1.

    A curve of brightness, which is not trained, plus what the trunk adds; the trunk begins by adding nothing. It is
    shown images in units of their own spread, and answers in units of the other kind's (`scale`).
    """

    curve: Tensor
    scale: Tensor

    def __init__(self, channels: int, *, shape: Shape, knots: int) -> None:
        """`knots`: Of the curve, evenly spaced from -1 to 1; it is filled with the straight line.

        `scale` is to be filled with mean and spread of the kind that enters, and the spread of the other.
        """
        super().__init__()
        self.trunk = UNet(channels, channels, shape=shape)
        self.register_buffer("curve", torch.linspace(-1, 1, knots))
        self.register_buffer("scale", torch.tensor([0.0, 1.0, 1.0]))

    def forward(self, image: Tensor, body: Tensor) -> Tensor:
        """`body`: (n, 1, h, w) of truth values; around it nothing changes."""
        mean, spread, other = self.scale
        change: Tensor = other * self.trunk((image - mean) / spread).float()
        return torch.where(body, self.bend(image) + change, image.float())

    def bend(self, image: Tensor) -> Tensor:
        """The curve's value, by straight lines between its knots."""
        last = len(self.curve) - 1
        place = (image.float().clamp(-1, 1) + 1) * (last / 2)
        below = place.detach().floor().clamp(max=last - 1)
        low, high = self.curve[below.long()], self.curve[below.long() + 1]
        bent: Tensor = low + (place - below) * (high - low)
        return bent


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the four nets are trained; the fields are those of the recipe (``generators/images/cyclegan.py``)."""

    loss: str
    learning_rate: float
    critic_rate: float
    cycle: float
    identity: float
    penalty: float
    ema: float
    pool: int
    jitter: float
    mirror: str
    precision: str


class Cycle:
    """Both ways and both critics: a Trainee (``nets/training.py``).

    Args:
        kinds: Images of the first and of the second kind, -1 to 1: (n, channels, h, w) each, on the processor.
        bodies: Where they show something: (n, 1, h, w) of truth values each.
        ways: Forth and back. critics: Of the first and of the second kind.
    """

    def __init__(
        self,
        kinds: tuple[Tensor, Tensor],
        bodies: tuple[Tensor, Tensor],
        ways: tuple[Way, Way],
        critics: tuple[PatchCritic, PatchCritic],
        *,
        tuning: Tuning,
        start: torch.Generator,
    ) -> None:
        for net in (*ways, *critics):
            begin(net, start)
        self._kinds = [torch.cat([k, 2.0 * b - 1], dim=1) for k, b in zip(kinds, bodies, strict=True)]
        self._tuning = tuning
        self.ways, self.critics = nn.ModuleList(ways).to(device()), nn.ModuleList(critics).to(device())
        self.average = {name: value.detach().clone() for name, value in self.ways.state_dict().items()}
        self.pools = tuple(ImagePool(tuning.pool, (*kinds[0].shape[1:],)) for _ in kinds)
        self._learn, self._judge = _adam(self.ways.parameters()), _adam(self.critics.parameters())
        self.taken, self._ease = 0, 1.0
        self.rein = 1.0

    def step(self, rows: Tensor, noise: torch.Generator, share: float) -> Mapping[str, float]:
        """One update of both ways, then one of both critics."""
        tuning = self._tuning
        rate = self._ease * tuning.learning_rate * min(1.0, (self.taken + 1) / WARM_UP)
        rate *= 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * share))
        for optimiser, times in ((self._learn, 1.0), (self._judge, tuning.critic_rate)):
            for group in optimiser.param_groups:
                group["lr"] = rate * times
        drawn = self._draw(rows, noise)
        real, bodies = [both[:, :-1] for both in drawn], [both[:, -1:] > 0 for both in drawn]
        turned, losses = self._teach_ways(real, bodies)
        losses |= self._teach_critics(real, turned, noise)
        self.taken += 1
        kept = min(tuning.ema, self.taken / (self.taken + 10))
        for name, value in self.ways.state_dict().items():
            self.average[name].lerp_(value, 1 - kept)
        return losses

    def _draw(self, rows: Tensor, noise: torch.Generator) -> list[Tensor]:
        """As many images of each kind, which have nothing to do with each other; the last channel tells the body."""
        first, second = self._kinds
        found = first[rows % len(first)], second[torch.randint(len(second), (len(rows),), generator=noise)]
        return [jitter(k, noise, strength=self._tuning.jitter, mirror=self._tuning.mirror).to(device()) for k in found]

    def _teach_ways(self, real: list[Tensor], bodies: list[Tensor]) -> tuple[list[Tensor], dict[str, float]]:
        """Returns what each kind was turned into, as images of the first and of the second kind."""
        tuning, (forth, back) = self._tuning, self.ways
        n = len(real[0])
        for weight in self.critics.parameters():
            weight.requires_grad_(False)
        weights = {"fooled": 1.0, "cycle": tuning.cycle, "identity": tuning.identity}
        with coarse(tuning.precision):
            both = tuning.identity > 0
            entering = (torch.cat(real), torch.cat(bodies)) if both else (real[0], bodies[0])
            coming = (torch.cat(real[::-1]), torch.cat(bodies[::-1])) if both else (real[1], bodies[1])
            made_second, *kept_second = forth(*entering).split(n)
            made_first, *kept_first = back(*coming).split(n)
            again_first, again_second = back(made_second, bodies[0]), forth(made_first, bodies[1])
            pleas = [
                persuade(tuning.loss, critic, r, f)
                for critic, r, f in zip(self.critics, real, (made_first, made_second), strict=True)
            ]
        parts = {"fooled": (pleas[0] + pleas[1]) / 2}
        parts["cycle"] = (apart(again_first, real[0]) + apart(again_second, real[1])) / 2
        if both:
            kept = [apart(k, r) for k, r in zip(kept_first + kept_second, real, strict=True)]
            parts["identity"] = (kept[0] + kept[1]) / 2
        loss = sum((2 * weights[name] * part for name, part in parts.items()), torch.zeros((), device=device()))
        self._learn.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._learn.step()
        for weight in self.critics.parameters():
            weight.requires_grad_(True)
        losses = {name: float(part.detach()) for name, part in parts.items()}
        return [made_first.detach(), made_second.detach()], losses

    def _teach_critics(self, real: list[Tensor], turned: list[Tensor], noise: torch.Generator) -> dict[str, float]:
        tuning, every = self._tuning, LAZY
        loss, gap, told = torch.zeros((), device=device()), 0.0, 0.0
        penalty = tuning.penalty * self.rein
        for critic, pool, r, fresh in zip(self.critics, self.pools, real, turned, strict=True):
            f = pool.swap(fresh, noise)
            with coarse(tuning.precision):
                on_real, on_fake = critic(r).float(), critic(f).float()
            loss = loss + GAMES[tuning.loss].critic(on_real, on_fake)
            gap += float((on_real.mean() - on_fake.mean()).detach()) / 2
            told += share_told(on_real.detach(), on_fake.detach()) / 2
            if penalty > 0 and self.taken % every == 0:
                loss = loss + every * penalty * (steepness(critic, r, noise) + steepness(critic, f, noise)) / 2
        self._judge.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._judge.step()
        self.rein = min(TIGHTEST, max(1.0, self.rein * math.exp(TIGHTEN if told > TOLD else -TIGHTEN)))
        return {"critics": float(loss.detach()) / 2, "gap": gap, "told": told, "rein": self.rein}

    def calm(self, times: int) -> None:
        """Halve the learning rate each time."""
        self._ease = 0.5**times

    def state(self) -> dict[str, Tensor]:
        """All four nets, the average, both optimisers, both pools, the steps taken, and how tight the rein is."""
        return {
            **flat("ways", self.ways.state_dict()),
            **flat("critics", self.critics.state_dict()),
            **flat("average", self.average),
            **flat("learn", optimiser_tensors(self._learn)),
            **flat("judge", optimiser_tensors(self._judge)),
            **flat("pool", {str(number): pool.state() for number, pool in enumerate(self.pools)}),
            "taken": torch.tensor(self.taken),
            "rein": torch.tensor(self.rein, dtype=torch.float64),
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take on what `state` told."""
        self.ways.load_state_dict(within("ways", state))
        self.critics.load_state_dict(within("critics", state))
        self.average = {name: value.clone() for name, value in within("average", state).items()}
        restore_optimiser(self._learn, within("learn", state))
        restore_optimiser(self._judge, within("judge", state))
        for number, pool in enumerate(self.pools):
            pool.restore(within(f"pool.{number}", state))
        self.taken, self.rein = int(state["taken"]), float(state["rein"])


def persuade(loss: str, critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """What a way minimises over the scores of patches, place by place (``nets/losses.py``)."""
    score: Tensor = critic(fake).float()
    paired = critic(real).float() if loss == "relativistic" else score  # no other game looks at the real ones
    return GAMES[loss].generator(paired, score)


def share_told(real: Tensor, fake: Tensor) -> float:
    """Of pairs of places, one real and one made, that are not scored alike: how many have the real one score higher."""
    differ = real != fake
    return float((real > fake).sum() / differ.sum()) if bool(differ.any()) else 0.5


def apart(made: Tensor, wanted: Tensor) -> Tensor:
    """Mean difference: as it is where large, by its square where small (Huber 1964)."""
    return functional.smooth_l1_loss(made, wanted, beta=HUBER)


def steepness(critic: nn.Module, images: Tensor, noise: torch.Generator) -> Tensor:
    """Half the squared gradient of patches' scores by the image, summed over its pixels, per patch (Mescheder 2018).

    Patches overlap, and gradients of their sum would add up where they agree; with random signs the products of two
    patches' gradients vanish in the mean, and the squares are left (Hutchinson 1989).
    """
    entering = images.detach().requires_grad_(True)
    scores = critic(entering)
    signs = torch.randint(0, 2, scores.shape, generator=noise).to(scores) * 2 - 1
    (slope,) = torch.autograd.grad((signs * scores).sum(), entering, create_graph=True)
    steep: Tensor = 0.5 * slope.square().sum() / scores.numel()
    return steep


def _adam(weights: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    return torch.optim.Adam(weights, lr=1e-4, betas=(0.5, 0.99), fused=True)
