"""Rows of one list that belong to one of two categories, by a setting that both of them share.

A row that belongs to the other category is not staged here, so when the setting changes, the list must be read again
from its beginning: each category keeps beside its cursors by which choice it was read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from outsmart_sync.records.mapping import MappedPage
from outsmart_sync.records.staged import values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from outsmart_sync.pipeline.job import Job
    from outsmart_sync.records.staged import StagedRow
    from outsmart_sync.records.streams import Split, Stream
    from outsmart_sync.store.cursors import Cursor

SPLIT = "split"
"""Name under which a category keeps, beside its cursors, by which choice its rows were told from another's."""


def chosen(job: Job) -> str | None:
    """By which choice the category's rows are told from another's; None: they need not be."""
    if not job.category.splits:
        return None
    return msgspec.json.encode([sorted(_values(job, split)) for split in job.category.splits]).decode()


def changed(kept: Mapping[str, Cursor], job: Job) -> bool:
    """Whether the category was read by another choice than the present one."""
    choice = chosen(job)
    return choice is not None and (SPLIT not in kept or kept[SPLIT].value != choice)


def divided(job: Job, stream: Stream, mapped: MappedPage) -> MappedPage:
    """A page with the rows of the other category among those that are foreign here."""
    split = stream.split
    if split is None:
        return mapped
    values = _values(job, split)

    def ours(row: StagedRow) -> bool:
        return split.takes is not values.isdisjoint(values_of(row.tags, split.tag))

    foreign = [(row.provider_id, row.version) for row in mapped.rows if not ours(row)]
    return MappedPage([row for row in mapped.rows if ours(row)], mapped.foreign + foreign)


def _values(job: Job, split: Split) -> set[str]:
    return set(job.settings.get(split.setting) or ())
