"""What the settings say about a work order's payment method and type of work; the more careful of the two counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from outsmart_sync.records.export_settings import CONDITION, EXPORT, FREE, HOLD, JOURNAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from outsmart_sync.pipeline.export_job import ExportJob
    from outsmart_sync.records.completed_work_order import CompletedWorkOrder

_SOURCES = (("payment_methods", "payment method"), ("types_of_work", "type of work"))


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is done with a work order.

    Attributes:
        held: Why it is held; '' when it is not.
        free: Nothing is charged.
        journal: Another journal than the settings' own; ''.
        payment_condition: Another payment condition; ''.
    """

    held: str = ""
    free: bool = False
    journal: str = ""
    payment_condition: str = ""


def ruling(job: ExportJob, work_order: CompletedWorkOrder) -> Ruling:
    """What the two rules say together."""
    held, free, codes = "", False, {JOURNAL: "", CONDITION: ""}
    for (setting, label), value in zip(_SOURCES, (work_order.payment_method, work_order.type_of_work), strict=True):
        verb, _, code = _rule(job.settings.get(setting) or {}, value).partition(":")
        if verb == HOLD and not held:
            held = f"{label} '{value}'"
        free = free or verb == FREE
        if verb in codes:
            codes[verb] = codes[verb] or code.strip()
    return Ruling(held, free, codes[JOURNAL], codes[CONDITION])


def _rule(rules: Mapping[str, str], value: str) -> str:
    wanted = value.strip().casefold()
    return next((rule for each, rule in rules.items() if each.strip().casefold() == wanted), EXPORT)
