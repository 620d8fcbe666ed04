"""From patients' images to a generator whose images are told like theirs: noise once, then training for nothing.

DP-MERF's idea (Harder, Adamczewski and Park 2021): the mean of what is told of images is all that a generator needs,
and one noisy sum tells it. Training against that spends nothing more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from semblance.contracts import Run
from semblance.imaging.crowd import Crowd
from semblance.imaging.noisy_gaussian import Plan as GaussianPlan
from semblance.imaging.noisy_gaussian import asked, learn_gaussian
from semblance.imaging.waves import Waves
from semblance.nets.device import threads
from semblance.nets.images.blocks import begin
from semblance.nets.images.embedding import REACH, Embedding, PaintedGaussian
from semblance.nets.images.matched_net import Correction, Frame, MatchedNet
from semblance.nets.images.schooling import school
from semblance.nets.images.unet import Shape
from semblance.nets.tensors import flat, optimiser_tensors, restore_optimiser, within
from semblance.nets.training import Log
from semblance.privacy.events import Composed, Event, Gaussian

KEY = "fit/features"
WARM_UP = 30
SHARPEST = 1e-3
"""Length of an error of the mean, squared, below which nothing is gained."""
PULL = 0.02
"""Weight of how far images are from the Gaussian's: what nothing is told of stays as it is."""
IMAGES = 8192
"""Images that count as one round; a batch holds as many of each class."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the recipe asks for (``generators/images/features.py``), and what it costs.

    Attributes:
        rho: Of everything, as zero-concentrated DP; infinite where nothing is promised.
        share: Of rho, for what is told beyond the Gaussian; 0 where steps are 0.
    """

    rho: float
    share: float
    steps: int
    batch: int
    learning_rate: float
    ways: int
    features: int
    width: int
    told: int

    @property
    def gaussian(self) -> GaussianPlan:
        """How noisy the Gaussian is."""
        return GaussianPlan(self.rho * (1 - self.share))

    @property
    def noise(self) -> float:
        """The noise multiplier of what is told beyond it."""
        return 1 / math.sqrt(2 * self.rho * self.share)

    @property
    def event(self) -> Event:
        """Everything that is charged."""
        told = (Gaussian(self.noise),) if self.share else ()
        return Composed((self.gaussian.event, *told))


def learn(
    crowd: Crowd,
    size: tuple[int, int, int],
    *,
    plan: Plan,
    run: Run,
    see: Callable[[MatchedNet, Log], object] | None = None,
) -> tuple[MatchedNet, Log | None, list[float]]:
    """A generator, how its training went, and how many patients each class has, as far as noise lets know.

    PRIVACY: spends `plan.event`, each part before its noise is drawn. Without an allowance all sums are exact.

    Raises:
        BudgetExceeded: it is not allowed; nothing was drawn.
        FitError: training diverged, and going back did not help.
    """
    with threads():
        found = learn_gaussian(crowd, Waves(*size), plan.gaussian, run.ledger)
        gaussian, patients = PaintedGaussian.of(found), found.patients.tolist()
        start = torch.Generator().manual_seed(run.seeds.integer(f"{KEY}/begin"))
        shape = Shape(2 if min(size[1:]) < 48 else 4, (plan.width, 2 * plan.width), 1, attention=False)
        frame = Frame(size, len(patients), shape, plan.told if plan.steps else 0)
        if not plan.steps:
            return MatchedNet(frame, gaussian, None), None, patients
        embedding = Embedding.of(gaussian, ways=plan.ways, features=plan.features, noise=start)
        total = crowd.sums(embedding.told, reach=REACH)
        noisy = asked(total, "images/features", plan.noise, REACH, run.ledger).reshape(crowd.sizes, -1)
        told = torch.tensor(noisy / found.patients[:, None], dtype=torch.float32)
        doubt = torch.tensor((plan.noise * REACH / found.patients) ** 2, dtype=torch.float32)
        matching = Matching(MatchedNet(frame, gaussian, frame.make()), embedding, told, doubt, plan=plan, start=start)
        net, log = school(
            matching,
            IMAGES,
            plan=plan,
            run=run,
            key=KEY,
            stage="learning what the Gaussian leaves out",
            fitted=matching.fitted,
            see=see,
        )
        return net, log, patients


class Matching:
    """A correction that learns from noisy means alone: a Trainee (``nets/training.py``). It sees no patient.

    Args:
        told: Noisy mean of what is told of each class: (classes, told). doubt: Variance of its noise: (classes,).
    """

    def __init__(
        self, made: MatchedNet, embedding: Embedding, told: Tensor, doubt: Tensor, *, plan: Plan, start: torch.Generator
    ) -> None:
        assert made.net is not None
        begin(made.net, start)
        self._made, self._embedding, self._told, self._plan = made, embedding, told, plan
        self._weight = 1 / (SHARPEST + doubt * told.shape[1])
        self.net = made.net
        self.average = {name: value.detach().clone() for name, value in self.net.state_dict().items()}
        self._optimiser = torch.optim.AdamW(
            self.net.parameters(), lr=plan.learning_rate, betas=(0.9, 0.99), weight_decay=0.0
        )
        self.taken, self._ease = 0, 1.0

    def step(self, rows: Tensor, noise: torch.Generator, share: float) -> Mapping[str, float]:
        """One update of the net, and of its average. Which rows come says how many images to make."""
        rate = self._ease * self._plan.learning_rate * min(1.0, (self.taken + 1) / WARM_UP)
        for group in self._optimiser.param_groups:
            group["lr"] = rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)))
        classes = torch.arange(len(rows)) % len(self._told)
        images, apart = self._made.made(classes, noise)
        distance = self._distance(self._embedding(images, classes), classes)
        loss = distance + PULL * apart.square().mean() / SHARPEST
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self._optimiser.step()
        self.taken += 1
        kept = min(0.98, self.taken / (self.taken + 10))
        for name, value in self.net.state_dict().items():
            self.average[name].lerp_(value, 1 - kept)
        return {"loss": float(distance.detach())}

    def _distance(self, found: Tensor, classes: Tensor) -> Tensor:
        """Squared distance of the means, in units of what noise allows; without bias, by two halves of the images."""
        total = torch.zeros(())
        for number, (told, weight) in enumerate(zip(self._told, self._weight, strict=True)):
            one, other = found[classes == number].tensor_split(2)
            if len(one) and len(other):
                total = total + weight * ((one.mean(dim=0) - told) * (other.mean(dim=0) - told)).sum()
        return total / len(self._told)

    def fitted(self) -> MatchedNet:
        """What draws, of what was learned so far."""
        net: Correction = self._made.frame.make()
        net.load_state_dict(self.average)
        return MatchedNet(self._made.frame, self._made.gaussian, net.eval())

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
