"""Few rows of each patient, so that one patient can only move so much."""

from __future__ import annotations

from semblance.data.dataset import Dataset
from semblance.privacy.capping import few_of_each


def cap_rows(data: Dataset, most: int) -> Dataset:
    """At most `most` rows of each patient, chosen at random; the order of rows is kept.

    How they are chosen: see ``privacy/capping.py``. A patient with many rows counts no more than one with `most`, so
    the result speaks of patients more than of visits.
    """
    if data.schema.subject is None:
        return data
    return data.take(few_of_each(data.subjects, most))
