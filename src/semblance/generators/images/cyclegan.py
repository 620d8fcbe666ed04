"""Translation between two kinds of images that were never paired: CycleGAN (Zhu et al. 2017, ``nets/images/cycle.py``).

The two kinds are the two labels of one condition of the images: two sub-folders of a folder, for example. What comes
out is "augmented", not synthetic: a real patient's anatomy as another scanner or sequence might have shown it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from semblance.contracts import Run
from semblance.data.images import Images
from semblance.errors import FitError, InputError
from semblance.extras import need
from semblance.image_schema import ImageSchema
from semblance.imaging.curves import STRAIGHT, Curve, find_curve
from semblance.imaging.levels import SCALES, Levels
from semblance.imaging.onlooker import Onlooker
from semblance.imaging.translator import TranslatorModel, load_translator

if TYPE_CHECKING:
    from semblance.nets.images.cycle_learning import Plan
    from semblance.nets.images.cycle_net import CycleNet
    from semblance.nets.training import Log

CHOICES = {
    "loss": ("lsgan", "relativistic"),
    "levels": tuple(SCALES),
    "start": ("curve", "rising", "falling", "same"),
    "precision": ("auto", "float32", "bfloat16"),
}
FEWEST = 2
"""Images of each kind that there must be."""
SHOWN = 8
"""Images of each kind in a picture of the training as it goes."""
LEFT_OUT = "Bright became dark between the two kinds, so the identity loss was left out."
HAZARDS = (
    "What was translated can show what is not there and hide what is, above all where the two kinds of training "
    "images differ in how often they show it: never read a diagnosis from it.",
)


@dataclass(frozen=True, slots=True)
class CycleGAN:
    """Two ways between two kinds of images, and a critic of each kind.

    Attributes:
        domain: The condition whose two labels are the two kinds; "" for the label.
        loss: The game: "lsgan" or "relativistic".
        steps: Updates of all four nets. batch: Images of each kind in an update.
        learning_rate: Of the ways, at its highest. critic_rate: Of the critics, as a multiple of it.
        cycle: How much it weighs that what went forth and back is what it was.
        identity: How much it weighs that what is of the other kind already is left alone. Not asked of ways that begin
            as a falling curve: they would have to tell the kinds apart and undo the curve for one of them.
        penalty: How strongly the critics are kept smooth; 0 for not at all.
        pool: Turned images of each kind that the critics are shown again.
        ema: Weight of the past in the running average of the ways, which is what is kept.
        jitter: How far training images are moved, turned and stretched, as a multiple of what is usual.
        levels: How patients' intensities are brought to one scale before anything else, by the images that go in only:
            "landmarks" of the histogram, one "gain", or "none".
        start: What the ways begin as: a "curve" of brightness that makes one kind's histogram the other's, rising or
            falling, whichever makes the kinds more alike; a "rising" or a "falling" one, where that is known; or the
            "same", changing nothing.
        width: Channels of the ways' finest level. depth: Their levels; 0 for what suits the size of the images.
        blocks: Residual blocks of a level, each way. fold: Side of the squares of pixels that enter as one; 0 for what
            suits the size. critic_width, critic_depth: The same of the critics; each level doubles what they see.
        precision: "auto", "float32" or "bfloat16".
    """

    name: ClassVar[str] = "cyclegan"
    about: ClassVar[str] = "turns one kind of image into another and back, learned without pairs; draws nothing"
    extra: ClassVar[str] = "neural"

    domain: str = ""
    loss: str = "lsgan"
    steps: int = 2000
    batch: int = 2
    learning_rate: float = 0.001
    critic_rate: float = 3.0
    cycle: float = 12.0
    identity: float = 6.0
    penalty: float = 0.0005
    pool: int = 50
    ema: float = 0.998
    jitter: float = 1.0
    levels: str = "landmarks"
    start: str = "curve"
    width: int = 16
    depth: int = 0
    blocks: int = 1
    fold: int = 0
    critic_width: int = 32
    critic_depth: int = 2
    precision: str = "auto"

    def __post_init__(self) -> None:
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise InputError(f"parameter {name!r} of image generator 'cyclegan' must be one of {', '.join(known)}.")
        for name in ("steps", "batch", "learning_rate", "critic_rate", "blocks", "critic_depth"):
            if getattr(self, name) <= 0:
                raise InputError(f"parameter {name!r} of image generator 'cyclegan' must be above 0.")
        for name in ("cycle", "identity", "penalty", "pool", "jitter", "depth", "fold"):
            if getattr(self, name) < 0:
                raise InputError(f"parameter {name!r} of image generator 'cyclegan' must not be below 0.")
        if min(self.width, self.critic_width) < 16 or self.width % 16 or self.critic_width % 16:
            raise InputError(
                "parameters 'width' and 'critic_width' of image generator 'cyclegan' must be multiples of 16."
            )
        if not 0 <= self.ema < 1:
            raise InputError("parameter 'ema' of image generator 'cyclegan' must be at least 0 and below 1.")

    def refuses(self, schema: ImageSchema) -> str | None:
        """Why it cannot learn such images."""
        conditions = schema.conditions
        domain = self.domain or schema.label
        if not conditions:
            return "the images are not told apart by anything; put the two kinds into two sub-folders, or name a label."
        if domain not in conditions:
            return f"'domain' must name the condition that tells the two kinds apart: {' or '.join(conditions)}."
        if len(conditions[domain]) != 2:
            return (
                f"{domain!r} has {len(conditions[domain])} labels, and translation goes between two; set 'domain' to "
                "a condition with two labels."
            )
        return None

    def fit(self, train: Images, run: Run) -> TranslatorModel:
        """Learn from training images of both kinds. Without differential privacy: no formal guarantee.

        Raises:
            FitError: there are not two kinds, too few images of one, or training diverged.
            MissingExtra: PyTorch is not installed.
        """
        schema = train.schema
        reason = self.refuses(schema)
        if reason:
            raise FitError(reason)
        domain = self.domain or schema.label
        codes = train.codes(domain)
        kinds = [train.take(np.flatnonzero(codes == kind).astype(np.int64)) for kind in (0, 1)]
        for label, found in zip(schema.conditions[domain], kinds, strict=True):
            if len(found) < FEWEST:
                raise FitError(
                    f"there are fewer than {FEWEST} training images of the kind {label!r}; check the folder."
                )
        need("neural", "image generator 'cyclegan'")
        from semblance.nets.images.cycle_learning import learn

        levels = Levels.learn(kinds[0], self.levels), Levels.learn(kinds[1], self.levels)
        pixels = levels[0].apply(kinds[0], schema), levels[1].apply(kinds[1], schema)
        onlooker = Onlooker(run.gallery, schema)
        shown = [kind[np.linspace(0, len(kind) - 1, min(SHOWN, len(kind))).astype(np.int64)] for kind in pixels]

        first, second = schema.conditions[domain]

        def see(net: CycleNet, log: Log) -> None:
            forth, back = net.turn(shown[0], run, forth=True), net.turn(shown[1], run, forth=False)
            again = net.turn(forth, run, forth=False), net.turn(back, run, forth=True)
            tiles = np.concatenate([shown[0], forth, again[0], shown[1], back, again[1]])
            onlooker.see(log.step, tiles, log.lines, rows=(first, second, first, second, first, second))

        curves = self._curves(pixels, run)
        net, log = learn(
            pixels,
            (curves[0].places, curves[1].places),
            plan=self._plan(schema, falls=curves[0].falls),
            run=run,
            see=see if run.gallery else None,
        )
        facts = {"steps": float(log.step), "kimg": log.step * min(self.batch, *map(len, kinds)) / 1000}
        facts["falls"] = float(curves[0].falls)
        facts |= {name: value for name, value in (log.lines[-1] if log.lines else {}).items() if name != "step"}
        left_out = LEFT_OUT if curves[0].falls and self.identity else None
        notes = tuple(note for note in (log.note, left_out, *HAZARDS) if note)
        return TranslatorModel(self.name, schema, domain, net, levels, notes, facts, {self.name: log.lines})

    def _curves(self, kinds: tuple[NDArray[np.float32], NDArray[np.float32]], run: Run) -> tuple[Curve, Curve]:
        """Where the ways forth and back begin."""
        if self.start == "same":
            return STRAIGHT, STRAIGHT
        known = {"rising": False, "falling": True}.get(self.start)
        forth = find_curve(kinds[0], kinds[1], run.seeds("fit/cyclegan/curve/forth"), falls=known)
        return forth, find_curve(kinds[1], kinds[0], run.seeds("fit/cyclegan/curve/back"), falls=forth.falls)

    def _plan(self, schema: ImageSchema, *, falls: bool) -> Plan:
        from semblance.nets.images.cycle import Tuning
        from semblance.nets.images.cycle_learning import Plan

        tuning = Tuning(
            loss=self.loss,
            learning_rate=self.learning_rate,
            critic_rate=self.critic_rate,
            cycle=self.cycle,
            identity=0.0 if falls else self.identity,
            penalty=self.penalty,
            ema=self.ema,
            pool=self.pool,
            jitter=self.jitter,
            mirror=schema.mirror,
            precision=self.precision,
        )
        return Plan(
            steps=self.steps,
            batch=self.batch,
            width=self.width,
            fold=self.fold,
            levels=self.depth,
            blocks=self.blocks,
            critic_width=self.critic_width,
            critic_levels=self.critic_depth,
            tuning=tuning,
        )

    @staticmethod
    def load(folder: Path, schema: ImageSchema) -> TranslatorModel:
        """Read a saved model: JSON and safetensors, neither of which runs code.

        Raises:
            FormatError: the folder does not hold such a model, or a file of it is damaged.
            MissingExtra: PyTorch is not installed.
        """
        need("neural", "image generator 'cyclegan'")
        from semblance.nets.images.cycle_net import CycleNet

        return load_translator(CycleGAN.name, folder, schema, lambda: CycleNet.load(folder))
