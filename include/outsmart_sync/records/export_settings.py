"""What can be set about exports, the same for every package; its own settings come behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outsmart_sync.records.export_catalogue import INVOICE_STATUS, WORK_ORDERS, ExportCategory
from outsmart_sync.records.lists import PAYMENT_METHODS, WORK_STATUSES, WORK_TYPES
from outsmart_sync.records.setting_kinds import CutOff, Rules, Switch, Text

if TYPE_CHECKING:
    from outsmart_sync.records.export_catalogue import Exports
    from outsmart_sync.records.setting_kinds import Setting

EXPORT, HOLD, FREE, JOURNAL, CONDITION = "export", "hold", "free", "journal", "condition"
VERBS = (EXPORT, HOLD, FREE)
"""What a rule may say; besides ``journal:`` and ``condition:`` with a code of the package."""
CODED_VERBS = (JOURNAL, CONDITION)

TRIGGER_STATUS, SUCCESS_STATUS, FAILURE_STATUS = "trigger_status", "success_status", "failure_status"

_HELD_PAYMENTS = {"contant voldaan": HOLD, "pin betaling": HOLD, "conform offerte": HOLD}
_HELD_WORK = {"Garantie": HOLD}


def export_categories(exports: Exports, tier: str = "basic") -> tuple[ExportCategory, ...]:
    """The export categories of a package, with their settings.

    Args:
        exports: What the package declares.
        tier: The lowest licence of the package: exports need no higher one.
    """
    work_orders = ExportCategory(name=WORK_ORDERS, label="Completed work orders", filters=_settings(exports), tier=tier)
    if not exports.statuses:
        return (work_orders,)
    invoice_status = ExportCategory(
        name=INVOICE_STATUS,
        label="Invoice numbers and payments",
        filters=(
            Text("invoiced_status", "Work status of a work order that was invoiced (empty: none)", lists=WORK_STATUSES),
            Text("paid_status", "Work status of a work order that was paid (empty: none)", lists=WORK_STATUSES),
        ),
        tier=tier,
    )
    return work_orders, invoice_status


def _settings(exports: Exports) -> tuple[Setting, ...]:
    kinds = {kind.name: kind.label for kind in exports.kinds}
    general: tuple[Setting, ...] = (
        Text("document", "What a work order becomes", default=exports.kinds[0].name, values=kinds),
        Text(
            TRIGGER_STATUS,
            "Work status that sends a work order (empty: every completed one goes by itself)",
            lists=WORK_STATUSES,
        ),
        Text(SUCCESS_STATUS, "Work status of a work order that was exported (empty: as it is)", lists=WORK_STATUSES),
        Text(
            FAILURE_STATUS,
            "Work status of a work order that could not be exported (empty: as it is)",
            lists=WORK_STATUSES,
        ),
        CutOff(),
        Rules(
            "payment_methods",
            "What is done with a payment method: export, hold, free, journal:CODE or condition:CODE",
            default=_HELD_PAYMENTS,
            lists=PAYMENT_METHODS,
        ),
        Rules(
            "types_of_work",
            "What is done with a type of work: export, hold, free, journal:CODE or condition:CODE",
            default=_HELD_WORK,
            lists=WORK_TYPES,
        ),
        Switch("create_relations", "Make customers that the package does not have"),
        Switch("create_materials", "Make articles that the package does not have"),
        Text(
            "fallback_material",
            "Article for lines whose code the package does not know (empty: such work orders wait)",
            suggests="material",
        ),
        Switch("hours", "Bill hours, at the sale price of their hour type", default=True),
        Text(
            "hour_rounding",
            "Round each period of work up to so many minutes",
            default="0",
            values={"0": "not rounded", "5": "5 minutes", "15": "15 minutes", "30": "30 minutes"},
        ),
        Text("travel_material", "Article for the distance travelled (empty: it is not billed)", suggests="material"),
        Switch("description_line", "Put the work description on the document", default=True),
        Switch("pdf", "Attach the work order's PDF", default=True),
    )
    photos = (Switch("photos", "Attach the work order's photos"),)
    return (*general, *(photos if any(kind.takes_photos for kind in exports.kinds) else ()), *exports.settings)
