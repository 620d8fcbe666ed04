"""A description of images in plain words, for a person at a terminal."""

from __future__ import annotations

from semblance.scans.describe import Description, Repeats, Writings

WIDEST = 12
"""Values of a condition that are listed one by one."""


def tell(found: Description) -> str:
    """Lines of text; names files, quotes no header and no patient."""
    schema = found.schema
    colour = "colour" if schema.channels == 3 else "grey"
    spacing = (
        "unknown spacing" if schema.spacing_mm is None else "{:.3g} × {:.3g} mm per pixel".format(*schema.spacing_mm)
    )
    plane = f", {schema.plane} slices" if schema.plane else ""
    patients = f"{found.patients:,} patients" if schema.patient else "patients not named: each image counts as one"
    unit = f" {schema.unit}" if schema.unit else ""
    lines = [
        f"{found.images:,} images ({schema.format}), {patients}",
        f"{schema.height} × {schema.width} pixels, {colour}, {schema.bits} bits{plane}; {spacing}; {schema.modality}",
        f"values {schema.low:g} to {schema.high:g}{unit} ({schema.bounds}: {found.span}); {found.cut_off:.2%} outside",
    ]
    for name, counts in found.conditions.items():
        shown = [f"{label or 'unknown'} {count:,}" for label, count in list(counts.items())[:WIDEST]]
        more = f", and {len(counts) - WIDEST} more" if len(counts) > WIDEST else ""
        lines.append(f"{name}: {', '.join(shown)}{more}")
    if found.lone_classes:
        lines.append(
            f"! only one site has the class {', '.join(found.lone_classes)}: site and class cannot be told apart"
        )
    lines += _tell_repeats(found.repeats) + _tell_writings(found.writings)
    if found.bad:
        lines.append(f"! {len(found.bad)} files cannot be used:")
        lines += [f"    {reason}" for _, reason in found.bad[:WIDEST]]
    if found.ignored:
        lines.append(f"{found.ignored} files are no images and were passed over")
    return "\n".join([*lines, *(f"note: {note}" for note in found.notes)])


def _tell_repeats(repeats: Repeats) -> list[str]:
    near = "too many images to look for near-duplicates" if repeats.near is None else f"{repeats.near} near-duplicates"
    mark = "! " if repeats.exact or repeats.near else ""
    lines = [f"{mark}{repeats.exact} images repeat another one exactly; {near}"]
    for count, what in (
        (repeats.across_classes, "in different classes"),
        (repeats.across_patients, "of different patients"),
        (repeats.across_splits, "in different cuts of the data"),
    ):
        if count:
            lines.append(f"!   {count} of these pairs lie {what}")
    lines += [f"    {first} = {second}" for first, second in repeats.examples[:3]]
    return lines


def _tell_writings(writings: Writings) -> list[str]:
    lines = []
    if writings.declared:
        lines.append(f"! {writings.declared} headers say that writing is burned into the pixels")
    if writings.looked_at:
        mark = "! " if writings.found else ""
        lines.append(
            f"{mark}{writings.found} of {writings.looked_at:,} images looked at seem to have writing at the border"
        )
        lines += [f"    {file}" for file in writings.examples[:3]]
    return lines
