"""Pictures of a training as it goes, for whoever waits beside it.

step-000400.png   what is drawn after so many steps, the same labels and noise each time
latest.png        the newest of them
curves.png        the losses so far
curves.csv        the same as numbers

Privacy: what is drawn here has not been judged, and early pictures are no safer than late ones.
"""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semblance.image_schema import ImageSchema
from semblance.imaging.grid import grid

COLUMNS = 8
ROWS = 4
"""Rows of a picture of images that have no classes."""

Curves = Sequence[Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Writes pictures into a folder; does nothing where there is none.

    Attributes:
        folder: Made when there is something to put in. schema: Of the images.
    """

    folder: Path | None
    schema: ImageSchema

    def labels(self, columns: int = COLUMNS) -> NDArray[np.int64]:
        """Labels to draw a picture of: `columns` images of each class; the attributes are left unknown.

        Returns: (n, conditions), as `ImageNet.draw` takes them: a class is a row, -1 is unknown.
        """
        rows = np.arange(len(self.schema.classes)) if self.schema.classes else np.full(ROWS, -1)
        found = np.full((len(rows) * columns, len(self.schema.conditions)), -1, dtype=np.int64)
        if self.schema.classes:
            found[:, 0] = rows.repeat(columns)
        return found

    def see(self, step: int, tiles: NDArray[np.float32], curves: Curves, *, rows: Sequence[str] = ()) -> None:
        """Write the picture of a step, and the losses until then.

        Args:
            tiles: (n, channels, height, width), -1 to 1, row by row. curves: Lines of losses, each with its "step".
            rows: What each row shows; by default a class each, where the tiles are as many of each class.
        """
        if self.folder is None:
            return
        names = tuple(rows) or self._names(len(tiles))
        columns = len(tiles) // len(names) if names and len(tiles) % len(names) == 0 else COLUMNS
        self.folder.mkdir(parents=True, exist_ok=True)
        picture = io.BytesIO()
        grid(tiles, columns=columns, rows=names).save(picture, format="PNG")
        for name in (f"step-{step:06d}.png", "latest.png"):
            write_whole(self.folder / name, picture.getvalue())
        if curves:
            write_whole(self.folder / "curves.csv", table_of(curves).encode("utf-8"))
            write_whole(self.folder / "curves.png", draw_curves(curves))

    def _names(self, n: int) -> tuple[str, ...]:
        classes = self.schema.classes
        return classes if classes and n % len(classes) == 0 else ()


def table_of(curves: Curves) -> str:
    """Lines of losses as CSV: the step first, then each loss by its name; empty where a line lacks one."""
    names = ["step", *sorted({name for line in curves for name in line} - {"step"})]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([[f"{line[name]:.6g}" if name in line else "" for name in names] for line in curves])
    return text.getvalue()


def draw_curves(curves: Curves) -> bytes:
    """Each loss over the steps, in a panel of its own, as PNG."""
    from matplotlib.figure import Figure

    names = sorted({name for line in curves for name in line} - {"step"})
    columns = min(3, max(1, len(names)))
    n_rows = -(-len(names) // columns)
    figure = Figure(figsize=(3.4 * columns, 2.2 * max(1, n_rows)), dpi=160, layout="constrained")
    for place, name in enumerate(names):
        axes = figure.add_subplot(n_rows, columns, place + 1)
        at = [(line["step"], line[name]) for line in curves if name in line]
        axes.plot([step for step, _ in at], [loss for _, loss in at], color="#2a6f97", linewidth=1.2)
        axes.set_title(name.replace("$", r"\$"), fontsize=9)
        axes.tick_params(labelsize=7)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()


def write_whole(file: Path, content: bytes) -> None:
    """Write under another name beside it, then rename: whoever looks never sees half a picture."""
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as half:
            half.write(content)
        os.chmod(name, 0o644)
        os.replace(name, file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
