"""Flow matching: a net learns the way from noise to images, and drawing follows it (``nets/images/flow.py``).

Slower to draw from than a GAN, but it leaves out fewer kinds of images, and its one loss goes down steadily.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from semblance.contracts import Run
from semblance.data.images import Images
from semblance.errors import FitError, InputError
from semblance.extras import need
from semblance.image_schema import ImageSchema
from semblance.imaging.model import DrawnModel, Mixture, load_drawn
from semblance.imaging.onlooker import Onlooker
from semblance.imaging.precision import PRECISIONS
from semblance.imaging.told import LABEL, labels_of, refuse_unknown

if TYPE_CHECKING:
    from semblance.nets.images.flow_learning import Plan
    from semblance.nets.images.flow_net import FlowNet
    from semblance.nets.training import Log

SOLVERS = ("euler", "heun", "adams")


@dataclass(frozen=True, slots=True)
class Flow:
    """Flow matching.

    Attributes:
        given: Conditions that the net is told, with commas between; "label" stands for the classes, if there are any.
        kimg: Thousands of images to learn from, counted each time that one is seen. batch: Images of a step.
        learning_rate: At its highest. ema: Weight of the past in the running average of the net, which is what is kept.
        width: Channels of the finest level. blocks: Residual blocks of a level, each way. told: Length of the context.
        fold: Side of the squares of pixels that enter as one; 0 for what suits the size of the images.
        levels: Of the trunk, each half as large as the one before; 0 for what suits the size.
        centre, spread: Of the logit of the times that are learned, which is normal: above 0, more of the late ones.
        drop: Share of images whose labels are hidden in learning, so that the net can also draw without being told.
        pairing: Whether noise and images of a batch are paired so that their ways are short.
        solver: "euler", "heun" or "adams". solver_steps: Of the way from noise to an image.
        guidance: How far labels are exaggerated; above 0 makes caricatures: classes clearer than they are.
        precision: "auto", "float32" or "bfloat16".
    """

    name: ClassVar[str] = "flow"
    about: ClassVar[str] = "flow matching: the way from noise to an image; slow to draw, leaves little out"
    extra: ClassVar[str] = "neural"

    given: str = LABEL
    kimg: float = 150.0
    batch: int = 64
    learning_rate: float = 0.0025
    ema: float = 0.998
    width: int = 64
    blocks: int = 1
    told: int = 128
    fold: int = 0
    levels: int = 0
    centre: float = 0.0
    spread: float = 1.0
    drop: float = 0.1
    pairing: bool = False
    solver: str = "adams"
    solver_steps: int = 12
    guidance: float = 0.0
    precision: str = "auto"

    def __post_init__(self) -> None:
        if self.solver not in SOLVERS:
            raise InputError(f"parameter 'solver' of image generator 'flow' must be one of {', '.join(SOLVERS)}.")
        if self.precision not in PRECISIONS:
            raise InputError(f"parameter 'precision' of image generator 'flow' must be one of {', '.join(PRECISIONS)}.")
        for name in ("kimg", "batch", "learning_rate", "blocks", "told", "spread", "solver_steps"):
            if getattr(self, name) <= 0:
                raise InputError(f"parameter {name!r} of image generator 'flow' must be above 0.")
        if self.width < 16 or self.width % 16:
            raise InputError("parameter 'width' of image generator 'flow' must be a multiple of 16.")
        if not (0 <= self.ema < 1 and 0 <= self.drop < 1):
            raise InputError("parameters 'ema' and 'drop' of image generator 'flow' must be at least 0 and below 1.")
        if min(self.fold, self.levels, self.guidance) < 0:
            raise InputError("'fold', 'levels' and 'guidance' of image generator 'flow' must not be below 0.")

    def refuses(self, schema: ImageSchema) -> str | None:
        """Why it cannot learn such images."""
        return refuse_unknown(self.given, schema)

    def fit(self, train: Images, run: Run) -> DrawnModel:
        """Learn from training images. Without differential privacy: no formal guarantee.

        Raises:
            FitError: there is nothing to learn from, or training diverged.
            MissingExtra: PyTorch is not installed.
        """
        reason = self.refuses(train.schema)
        if reason or not len(train):
            raise FitError(reason or "there are no training images; check the folder.")
        need("neural", "image generator 'flow'")
        from semblance.nets.images.flow_learning import learn

        schema = replace(train.schema, structures=())  # masks are not learned
        labels = labels_of(train, given=self.given)
        onlooker = Onlooker(run.gallery, schema)
        shown = onlooker.labels()

        def see(net: FlowNet, log: Log) -> None:
            onlooker.see(log.step, net.draw(shown, run), log.lines)

        net, log = learn(
            train.unit(),
            labels,
            tuple(len(known) for known in schema.conditions.values()),
            plan=self._plan(len(train), schema),
            run=run,
            see=see if run.gallery else None,
        )
        facts = {"steps": float(log.step), "kimg": log.step * min(self.batch, len(train)) / 1000}
        if log.lines:
            facts["loss"] = log.lines[-1]["loss"]
        notes = (log.note,) if log.note else ()
        return DrawnModel(self.name, schema, net, Mixture.learn(labels), notes, facts, {self.name: log.lines})

    def _plan(self, n: int, schema: ImageSchema) -> Plan:
        from semblance.nets.images.flow import Tuning
        from semblance.nets.images.flow_learning import Plan

        tuning = Tuning(
            learning_rate=self.learning_rate,
            ema=self.ema,
            drop=self.drop,
            centre=self.centre,
            spread=self.spread,
            pairing=self.pairing,
            mirror=schema.mirror,
            precision=self.precision,
        )
        return Plan(
            steps=max(1, round(1000 * self.kimg / min(self.batch, n))),
            batch=self.batch,
            width=self.width,
            fold=self.fold,
            levels=self.levels,
            blocks=self.blocks,
            told=self.told,
            solver=self.solver,
            solver_steps=self.solver_steps,
            guidance=self.guidance,
            tuning=tuning,
        )

    @staticmethod
    def load(folder: Path, schema: ImageSchema) -> DrawnModel:
        """Read a saved model: JSON and safetensors, neither of which runs code.

        Raises:
            FormatError: the folder does not hold such a model, or a file of it is damaged.
            MissingExtra: PyTorch is not installed.
        """
        need("neural", "image generator 'flow'")
        from semblance.nets.images.flow_net import FlowNet

        return load_drawn(DrawnModel, Flow.name, folder, schema, lambda: FlowNet.load(folder))
