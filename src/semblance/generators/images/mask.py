"""Images around masks: a lesion here, an organ there, and what a scanner shows of it (``nets/images/mask_flow.py``).

Two nets learn, both by flow matching: a drawer of masks, and a brush that paints an image around a mask and keeps it to
the pixel. `sample` uses both, so that nobody's anatomy is shown; `paint` takes any mask, such as one with a new lesion
(``imaging/lesions.py``).
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
from semblance.imaging.masks import check_masks
from semblance.imaging.model import Mixture, load_drawn
from semblance.imaging.onlooker import Onlooker
from semblance.imaging.painting import PaintedModel
from semblance.imaging.precision import PRECISIONS
from semblance.imaging.told import labels_of

if TYPE_CHECKING:
    from semblance.nets.images.flow_learning import Plan
    from semblance.nets.images.mask_net import MaskNet
    from semblance.nets.training import Log

USUAL = 40.0
"""Thousands of images that are learned from where an image has `SQUARES` squares of pixels; fewer of larger images."""
SQUARES = 768
BATCH = 32
COARSE, COARSER = 128, 256
"""Sides of images from which on squares of 4 and of 8 pixels enter the brush as one; of smaller ones, squares of 2:
with larger squares it paints their grid."""
FEW = 20
"""With fewer patients the model says that it may know them by heart."""


@dataclass(frozen=True, slots=True)
class Mask:
    """A drawer of masks and a brush.

    Attributes:
        kimg: Thousands of images that the brush learns from, counted each time that one is seen; 0 for as many as take
            about as long whatever their size (`USUAL` at 64 × 48 pixels).
        mask_kimg: The same of the masks that the drawer learns from.
        batch: Images of a step; 0 for `BATCH` at 64 × 48 pixels and fewer of larger images.
        learning_rate: At its highest, for `BATCH` images a step; of fewer the root of their share of it.
        ema: Weight of the past in the running average of the nets, which is what is kept.
        width: Channels of the brush's finest level; blocks: its residual blocks of a level, each way.
        mask_width: Channels of the drawer's finest level. told: Length of what the nets are told beside.
        fold: Side of the squares of pixels that enter the brush as one; 0 for what suits the size of the images.
        levels: Of the nets, each half as large as the one before; 0 for what suits the size.
        focus: How many times as much as others a pixel of a rare structure may count in learning; 1 for all the same.
        drop: Share of images whose labels are hidden in learning, so that masks of any label can be painted.
        solver_steps: Of the way from noise to an image or a mask.
        precision: "auto", "float32" or "bfloat16".
    """

    name: ClassVar[str] = "mask"
    about: ClassVar[str] = "images painted around masks of organs and lesions, and the masks too; needs masks"
    extra: ClassVar[str] = "neural"

    kimg: float = 0.0
    mask_kimg: float = 0.0
    batch: int = 0
    learning_rate: float = 0.0018
    ema: float = 0.998
    width: int = 32
    blocks: int = 1
    mask_width: int = 32
    told: int = 128
    fold: int = 0
    levels: int = 0
    focus: float = 10.0
    drop: float = 0.1
    solver_steps: int = 12
    precision: str = "auto"

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise InputError(f"parameter 'precision' of image generator 'mask' must be one of {', '.join(PRECISIONS)}.")
        for name in ("learning_rate", "blocks", "told", "solver_steps"):
            if getattr(self, name) <= 0:
                raise InputError(f"parameter {name!r} of image generator 'mask' must be above 0.")
        for name in ("width", "mask_width"):
            if getattr(self, name) < 16 or getattr(self, name) % 16:
                raise InputError(f"parameter {name!r} of image generator 'mask' must be a multiple of 16.")
        if not (0 <= self.ema < 1 and 0 <= self.drop < 1 and self.focus >= 1):
            raise InputError("image generator 'mask' needs 0 <= ema < 1, 0 <= drop < 1 and a focus of at least 1.")
        if min(self.kimg, self.mask_kimg, self.batch, self.fold, self.levels) < 0:
            raise InputError("a size, a batch or a number of images of image generator 'mask' must not be below 0.")

    def refuses(self, schema: ImageSchema) -> str | None:
        """Why it cannot learn such images."""
        if not schema.structures:
            return "the images have no masks; name the structures that masks mark in the schema, or use 'flow'."
        return None

    def fit(self, train: Images, run: Run) -> PaintedModel:
        """Learn from training images and their masks. Without differential privacy: no formal guarantee.

        Raises:
            FitError: there is nothing to learn from, or training diverged.
            InputError: a mask marks a structure that the schema does not name.
            MissingExtra: PyTorch is not installed.
        """
        reason = self.refuses(train.schema)
        if reason or train.masks is None or not len(train):
            raise FitError(reason or "there are no training images; check the folder.")
        check_masks(train.masks, train.schema)
        need("neural", "image generator 'mask'")
        from semblance.nets.images.mask_learning import learn

        schema, labels = train.schema, labels_of(train)
        onlooker = Onlooker(run.gallery, schema)
        shown = onlooker.labels()

        def see(net: MaskNet, log: Log) -> None:
            onlooker.see(log.step, net.draw(shown, run), log.lines)

        net, logs = learn(
            train.unit(),
            train.masks,
            labels,
            tuple(len(known) for known in schema.conditions.values()),
            structures=len(schema.structures),
            drawing=self._plan(len(train), schema, kimg=self.mask_kimg, width=self.mask_width, fold=0),
            painting=self._plan(len(train), schema, kimg=self.kimg, width=self.width, fold=self.fold or folded(schema)),
            focus=self.focus,
            run=run,
            see=see if run.gallery else None,
        )
        both = {"masks": logs.drawing, "images": logs.painting}
        facts = {f"steps_{name}": float(log.step) for name, log in both.items()}
        facts |= {f"loss_{name}": log.lines[-1]["loss"] for name, log in both.items() if log.lines}
        notes = tuple(note for note in (*(log.note for log in both.values()), few_note(train)) if note)
        training = {name: log.lines for name, log in both.items()}
        return PaintedModel(self.name, schema, net, Mixture.learn(labels), notes, facts, training)

    def _plan(self, n: int, schema: ImageSchema, *, kimg: float, width: int, fold: int) -> Plan:
        from semblance.nets.images.flow import Tuning
        from semblance.nets.images.flow_learning import Plan

        tuning = Tuning(
            learning_rate=self.learning_rate,
            ema=self.ema,
            drop=self.drop,
            centre=0.0,
            spread=1.0,
            pairing=False,
            mirror=schema.mirror,
            precision=self.precision,
        )
        plan = Plan(
            steps=1,
            batch=1,
            width=width,
            fold=fold,
            levels=self.levels,
            blocks=self.blocks,
            told=self.told,
            solver="adams",
            solver_steps=self.solver_steps,
            guidance=0.0,
            tuning=tuning,
        )
        cost = max(1.0, squares_of(plan, schema) / SQUARES)
        batch = min(n, self.batch or max(8, round(BATCH / cost)))
        return replace(
            plan,
            steps=max(1, round(1000 * (kimg or USUAL / cost) / batch)),
            batch=batch,
            tuning=replace(tuning, learning_rate=self.learning_rate * (batch / BATCH) ** 0.5),
        )

    @staticmethod
    def load(folder: Path, schema: ImageSchema) -> PaintedModel:
        """Read a saved model: JSON and safetensors, neither of which runs code.

        Raises:
            FormatError: the folder does not hold such a model, or a file of it is damaged.
            MissingExtra: PyTorch is not installed.
        """
        need("neural", "image generator 'mask'")
        from semblance.nets.images.mask_net import MaskNet

        return load_drawn(PaintedModel, Mask.name, folder, schema, lambda: MaskNet.load(folder))


def folded(schema: ImageSchema) -> int:
    """Side of the squares of pixels that enter the brush as one."""
    side = min(schema.height, schema.width)
    return 2 if side < COARSE else 4 if side < COARSER else 8


def squares_of(plan: Plan, schema: ImageSchema) -> int:
    """Squares of pixels that enter a net as one: what an image costs."""
    fold = plan.shape(schema.height, schema.width).fold
    return -(-schema.height // fold) * -(-schema.width // fold)


def few_note(train: Images) -> str | None:
    """One sentence where there are so few patients that nets learn them by heart; None otherwise."""
    if train.n_patients >= FEW:
        return None
    patients = f"{train.n_patients} patients" if train.n_patients > 1 else "a single patient"
    return f"Learned from {patients}: what is painted is likely to show their anatomy; guard it as you guard theirs."
