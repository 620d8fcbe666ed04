"""Flow matching by noisy steps, from a noisy Gaussian on: what that knows is taken out of the images beforehand.

What is left of an image is noise where the Gaussian is right, and a velocity that has learned nothing draws exactly the
Gaussian's images. Steps of DP-SGD then teach it what the Gaussian has wrong (Ghalebikesabi et al. 2023 and Dockhorn et
al. 2023 train diffusion models so, from nothing): one loss, one gradient a patient, which is the mean over several
noises and times of all their images, so that one clipping serves them all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semblance.contracts import Run
from semblance.imaging.crowd import Crowd
from semblance.imaging.noisy_gaussian import Plan as GaussianPlan
from semblance.imaging.noisy_gaussian import learn_gaussian
from semblance.imaging.waves import Waves
from semblance.nets.device import device, threads
from semblance.nets.images.blocks import begin
from semblance.nets.images.embedding import PaintedGaussian
from semblance.nets.images.flow import Velocity
from semblance.nets.images.flow_net import AT_ONCE, FlowNet, Frame, paint
from semblance.nets.images.spectrum import cosines
from semblance.nets.images.unet import Shape
from semblance.nets.private.clipping import unguessable
from semblance.nets.private.steps import NoisyGradients, learn
from semblance.nets.tensors import read_tensors, write_tensors
from semblance.privacy.batches import Batches
from semblance.privacy.events import Composed, Event
from semblance.privacy.sampled import Sampled

KEY = "fit/flow"
GAUSSIAN = "gaussian.safetensors"
BLOCK = 512
EMA, WARM = 0.98, 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """What the recipe asks for (``generators/images/flow.py``), and what it costs.

    Attributes:
        gaussian: How noisy the Gaussian is. training: The steps. looks: Noises and times of an image in one gradient.
    """

    gaussian: GaussianPlan
    training: Sampled
    shape: Shape
    told: int
    looks: int
    learning_rate: float
    reach: float
    solver: str
    solver_steps: int

    @property
    def event(self) -> Event:
        """Everything that is charged."""
        return Composed((self.gaussian.event, self.training.event))


def learn_noisily(
    crowd: Crowd, size: tuple[int, int, int], *, plan: Plan, run: Run
) -> tuple[NoisyFlowNet, int, list[float]]:
    """A net that draws, how many steps were taken, and how many patients each class has, as noise lets know.

    PRIVACY: spends `plan.event`, each part before its noise is drawn.

    Raises:
        BudgetExceeded: it is not allowed; nothing was drawn.
    """
    with threads():
        found = learn_gaussian(crowd, Waves(*size), plan.gaussian, run.ledger)
        run.ledger.spend("flow/training", plan.training.event)
        gaussian = PaintedGaussian.of(found)
        frame = Frame(
            *size,
            (len(found.patients),),
            plan.shape,
            plan.told,
            0.0,
            1.0,
            plan.solver,
            plan.solver_steps,
            0.0,
            "float32",
        )
        net = frame.make()
        begin(net, torch.Generator().manual_seed(run.seeds.integer(f"{KEY}/begin")))
        taken = _train(net.to(device()), crowd, gaussian, float(found.patients.sum()), plan, run)
    return NoisyFlowNet(FlowNet(frame, net.eval()), gaussian), taken, found.patients.tolist()


def _train(net: Velocity, crowd: Crowd, gaussian: PaintedGaussian, patients: float, plan: Plan, run: Run) -> int:
    """Take the steps; the net ends as a running average of the last of them."""
    images, classes = _evened(crowd, gaussian), torch.from_numpy(crowd.classes)
    dice = unguessable()
    weight = _visible(gaussian)
    rows, columns = cosines(gaussian.size[1]), cosines(gaussian.size[2])

    def losses(at: Tensor) -> Tensor:
        image, label = images[at], classes[at][:, None]
        total = torch.zeros(len(at))
        for _ in range(plan.looks):
            start = torch.randn(image.shape, generator=dice)
            time = torch.sigmoid(torch.randn(len(at), generator=dice))
            point = torch.lerp(start, image, time[:, None, None, None])
            wrong = net(point.to(device()), time.to(device()), label.to(device())).cpu() - (image - start)
            total = total + (weight * (rows @ wrong @ columns.T).square()).mean(dim=(1, 2, 3))
        return total / plan.looks

    optimiser = torch.optim.Adam(net.parameters(), lr=plan.learning_rate, betas=(0.9, 0.99))
    average = [p.detach().clone() for p in net.parameters()]

    def each(step: int) -> None:
        share = step / plan.training.steps
        for group in optimiser.param_groups:
            group["lr"] = (
                plan.learning_rate * min(1.0, (share + 0.005) / WARM) * (0.51 + 0.49 * math.cos(math.pi * share))
            )
        with torch.no_grad():
            torch._foreach_lerp_(average, list(net.parameters()), 1 - min(EMA, step / (step + 10)))

    batches = Batches(crowd.patients, plan.training.rate)
    noisy = NoisyGradients(net, losses, batches, training=plan.training, reach=plan.reach)
    taken = learn(
        net,
        noisy,
        optimiser,
        training=plan.training,
        patients=patients,
        run=run,
        stage="learning the flow privately",
        each=each,
    )
    noisy.close()
    with torch.no_grad():
        for parameter, value in zip(net.parameters(), average, strict=True):
            parameter.copy_(value)
    return taken


def _evened(crowd: Crowd, gaussian: PaintedGaussian) -> Tensor:
    """Images without what the Gaussian knows of them, each number within six standard deviations: (n, c, h, w)."""
    parts = [torch.zeros((0, *gaussian.size))]
    for start in range(0, len(crowd.images), BLOCK):
        part = np.nan_to_num(crowd.images[start : start + BLOCK], posinf=1.0, neginf=-1.0)
        classes = torch.from_numpy(crowd.classes[start : start + BLOCK])
        parts.append(gaussian.even(torch.from_numpy(part), classes).clamp(-6, 6))
    return torch.cat(parts)


def _visible(gaussian: PaintedGaussian) -> Tensor:
    """What each wave's error counts: as the wave's strength in images, so that faint noise does not drown the rest."""
    strength = gaussian.law.reshape(gaussian.size)
    return strength / strength.mean()


@dataclass(frozen=True, eq=False)
class NoisyFlowNet:
    """An ImageNet: a flow from noise to what a Gaussian leaves open, and the Gaussian."""

    flow: FlowNet
    gaussian: PaintedGaussian

    @property
    def net(self) -> Velocity:
        """The velocity."""
        return self.flow.net

    def draw(self, labels: NDArray[np.int64], run: Run) -> NDArray[np.float32]:
        """(n, conditions) of label numbers, -1 for unknown -> (n, channels, height, width), -1 to 1."""
        seeds, frame = run.seeds.within("sample/flow"), self.flow.frame
        classes = labels[:, 0] if labels.shape[1] else np.zeros(len(labels), dtype=np.int64)
        classes = np.where(classes < 0, seeds("classes").integers(frame.sizes[0], size=len(classes)), classes)
        drawn = [np.zeros((0, *self.gaussian.size), dtype=np.float32)]
        with threads(), torch.no_grad():
            for number, place in enumerate(range(0, len(classes), AT_ONCE)):
                run.progress("drawing images", place, len(classes))
                noise = torch.Generator().manual_seed(seeds.integer(str(number)))
                told = torch.from_numpy(classes[place : place + AT_ONCE])
                evened = paint(self.flow.net, told[:, None], noise, frame=frame).cpu()
                drawn.append(self.gaussian.uneven(evened, told).numpy())
        run.progress("drawing images", len(classes), len(classes))
        return np.clip(np.concatenate(drawn), -1, 1)

    def save(self, folder: Path) -> None:
        """Write the flow, and the Gaussian beside it."""
        self.flow.save(folder)
        parts = {name: getattr(self.gaussian, name) for name in ("mean", "spread", "slow", "ways", "law")}
        write_tensors(parts, folder / GAUSSIAN)

    @classmethod
    def load(cls, folder: Path) -> NoisyFlowNet:
        """Read back what `save` wrote. Raises KeyError, OSError, TypeError, ValueError or RuntimeError if damaged."""
        flow = FlowNet.load(folder)
        size = (flow.frame.channels, flow.frame.height, flow.frame.width)
        return cls(flow, PaintedGaussian(**read_tensors(folder / GAUSSIAN), size=size))
