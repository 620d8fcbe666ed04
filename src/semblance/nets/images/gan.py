"""A generator and a critic of images, trained against each other.

Which game they play is an argument (``nets/losses.py``). Both see the same labels, pair by pair, and images of a batch
are sorted by label, so that those that the critic compares are of a kind.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from semblance.nets.device import device
from semblance.nets.images.augment import Dial, augment
from semblance.nets.images.mirror import mirrored
from semblance.nets.images.precision import coarse
from semblance.nets.losses import GAMES, one_centred, zero_centred
from semblance.nets.tensors import flat, optimiser_tensors, restore_optimiser, within

WARM_UP = 100
"""Steps over which the learning rates rise to their full size; they then fall to a tenth along a cosine."""
SMOOTH_AT_LAST = 0.1
"""Share of gamma that is left at the end."""
LOOK_EVERY = 8
"""Updates of the critic between two looks at validation images."""
LOOK_AT = 32
"""Validation images of a look."""
DIAL_AFTER = 0.25
"""Share of the training in which the strength of augmentation could rise from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the two are trained; the fields are those of the recipe (``generators/images/gan.py``).

    Attributes:
        gamma: Weight of the penalty at first. lazy: Updates of the critic for one with R1 and R2.
        critic_steps: Updates of the critic for one of the generator. mirror: As in ImageSchema.
    """

    loss: str
    learning_rate: float
    critic_pace: float
    gamma: float
    lazy: int
    critic_steps: int
    ema: float
    ramp: float
    adaptive: bool
    augment: float
    mirror: str
    precision: str


class Match:
    """Generator against critic: a Trainee (``nets/training.py``).

    The nets may be of any make, so long as the generator has a length `hidden` and makes images of (hidden rows,
    labels, ramp), and the critic makes scores of (images, labels, ramp).

    Args:
        images: Training images, -1 to 1: (n, c, h, w). labels: (n, conditions), -1 for unknown.
        held: Images and labels of training patients that are kept from both nets, to see what the critic knows by
            heart; none for a strength of augmentation that stays as it is. steps: Of the whole training.
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        *,
        forger: nn.Module,
        critic: nn.Module,
        tuning: Tuning,
        steps: int,
        held: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        self._images, self._labels, self._held = images, labels, held
        self._tuning, self._game = tuning, GAMES[tuning.loss]
        self.forger, self.critic = forger.to(device()), critic.to(device())
        self.average = {name: value.detach().clone() for name, value in forger.state_dict().items()}
        self._sharpen, self._judge = (self._optimiser(net) for net in (self.forger, self.critic))
        self.dial = Dial(tuning.augment, speed=LOOK_EVERY / max(1.0, DIAL_AFTER * steps))
        self._hidden: int = forger.hidden  # type: ignore[assignment]
        self.taken, self.paid, self._ease = 0, 0.0, 1.0

    def _optimiser(self, net: nn.Module) -> torch.optim.Optimizer:
        rate = self._tuning.learning_rate
        if self._game.momentum:
            return torch.optim.Adam(net.parameters(), lr=rate, betas=(0.0, 0.99), fused=True)
        return torch.optim.RMSprop(net.parameters(), lr=rate)

    def step(self, rows: Tensor, noise: torch.Generator, share: float) -> Mapping[str, float]:
        """One update of the critic, and one of the generator where it is its turn."""
        tuning = self._tuning
        rate = self._ease * tuning.learning_rate * min(1.0, (self.taken + 1) / WARM_UP)
        rate *= 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * share))
        for optimiser, pace in ((self._sharpen, 1.0), (self._judge, tuning.critic_pace)):
            for group in optimiser.param_groups:
                group["lr"] = rate * pace
        ramp = ramped(share, tuning.ramp)
        rows = self._sorted(rows)
        labels = self._labels[rows].to(device())
        real = mirrored(self._images[rows].to(device()), tuning.mirror, noise)
        hidden = torch.randn(len(rows), self._hidden, generator=noise).to(device())
        turn = (self.taken + 1) % tuning.critic_steps == 0
        with torch.set_grad_enabled(turn), coarse(tuning.precision):
            fake = self.forger(hidden, labels, ramp).float()
        losses = self._teach_critic(real, fake.detach(), labels, ramp, share, noise)
        self.taken += 1
        if turn:
            self.paid = self._teach_forger(real, fake, labels, ramp, noise)
        return {**losses, "generator": self.paid, "augmentation": self.dial.strength}

    def _sorted(self, rows: Tensor) -> Tensor:
        """The rows of a batch, those with the same labels side by side."""
        for column in reversed(range(self._labels.shape[1])):
            rows = rows[torch.argsort(self._labels[rows, column], stable=True)]
        return rows

    def _teach_critic(
        self, real: Tensor, fake: Tensor, labels: Tensor, ramp: float, share: float, noise: torch.Generator
    ) -> dict[str, float]:
        game, tuning = self._game, self._tuning
        seen = [augment(images, self.dial.strength, noise) for images in (real, fake)]
        with coarse(tuning.precision):
            scores = [self.critic(images, labels, ramp) for images in seen]
        means = [float(score.detach().mean()) for score in scores]
        if self._held and self.taken % LOOK_EVERY == 0:  # before the critic moves: in most games only differences count
            self.dial.turn(means[0], self._look(self._held, ramp, noise), means[1])
        played = game.critic(*scores)
        loss, steep = played, 0.0
        every = tuning.lazy if game.smooth == "zero" else 1
        if game.smooth != "clip" and tuning.gamma > 0 and self.taken % every == 0:
            gamma = tuning.gamma * (SMOOTH_AT_LAST**share if game.smooth == "zero" else 1.0)
            penalty = gamma * self._penalty(seen[0], seen[1], labels, ramp, noise)
            loss, steep = loss + every * penalty, every * float(penalty.detach())
        self._judge.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._judge.step()
        if game.smooth == "clip":
            with torch.no_grad():
                for weight in self.critic.parameters():
                    weight.clamp_(-game.weight, game.weight)
        return {"critic": float(played.detach()), "gap": means[0] - means[1], "penalty": steep, "by heart": self.dial.r}

    def _penalty(self, real: Tensor, fake: Tensor, labels: Tensor, ramp: float, noise: torch.Generator) -> Tensor:
        """What a steep critic pays: of half of the images where it pays at them, of all where it pays between them."""
        if self._game.smooth == "one":
            part = torch.rand(len(real), 1, 1, 1, generator=noise).to(real.device)
            return one_centred(steepness(self.critic, torch.lerp(real, fake, part), labels, ramp))
        some = slice(0, None, 2)  # rows are sorted by label, so that every label has its half
        return zero_centred(*(steepness(self.critic, images[some], labels[some], ramp) for images in (real, fake)))

    def _look(self, held: tuple[Tensor, Tensor], ramp: float, noise: torch.Generator) -> float:
        """Mean score of some validation images, changed as the others are."""
        images, labels = held
        some = torch.randint(len(images), (LOOK_AT,), generator=noise)
        some = some[torch.argsort(labels[some, 0], stable=True)] if labels.shape[1] else some
        seen = mirrored(images[some].to(device()), self._tuning.mirror, noise)
        with torch.no_grad(), coarse(self._tuning.precision):
            scores = self.critic(augment(seen, self.dial.strength, noise), labels[some].to(device()), ramp)
        return float(scores.mean())

    def _teach_forger(self, real: Tensor, fake: Tensor, labels: Tensor, ramp: float, noise: torch.Generator) -> float:
        with coarse(self._tuning.precision):
            with torch.no_grad():
                real_scores = self.critic(augment(real, self.dial.strength, noise), labels, ramp)
            self.critic.requires_grad_(False)
            loss = self._game.generator(
                real_scores, self.critic(augment(fake, self.dial.strength, noise), labels, ramp)
            )
        self._sharpen.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.critic.requires_grad_(True)
        self._sharpen.step()
        kept = min(self._tuning.ema, self.taken / (self.taken + 10))
        for name, value in self.forger.state_dict().items():
            self.average[name].lerp_(value, 1 - kept)
        return float(loss.detach())

    def calm(self, times: int) -> None:
        """Halve the learning rates each time."""
        self._ease = 0.5**times

    def state(self) -> dict[str, Tensor]:
        """Both nets, both optimisers, the average, the augmentation, and the steps taken."""
        return {
            **flat("forger", self.forger.state_dict()),
            **flat("critic", self.critic.state_dict()),
            **flat("average", self.average),
            **flat("sharpen", optimiser_tensors(self._sharpen)),
            **flat("judge", optimiser_tensors(self._judge)),
            **flat("dial", self.dial.state()),
            "taken": torch.tensor(self.taken),
            "paid": torch.tensor(self.paid, dtype=torch.float64),
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take on what `state` told."""
        self.forger.load_state_dict(within("forger", state))
        self.critic.load_state_dict(within("critic", state))
        self.average = {name: value.clone() for name, value in within("average", state).items()}
        restore_optimiser(self._sharpen, within("sharpen", state))
        restore_optimiser(self._judge, within("judge", state))
        self.dial.restore(within("dial", state))
        self.taken, self.paid = int(state["taken"]), float(state["paid"])


def ramped(share: float, ramp: float) -> float:
    """How much labels count: nothing for the first half of `ramp`, then more, and in full from `ramp` on, 0 to 1."""
    return 1.0 if ramp <= 0 else min(1.0, max(0.0, 2 * share / ramp - 1))


def steepness(critic: nn.Module, images: Tensor, labels: Tensor, ramp: float) -> Tensor:
    """Squared length of the gradient of the scores by each image: (n, c, h, w) -> (n,). In full precision."""
    images = images.detach().requires_grad_(True)
    score = critic(images, labels, ramp).sum()
    (slope,) = torch.autograd.grad(score, images, create_graph=True)
    return slope.square().sum(dim=tuple(range(1, slope.dim())))
