"""OutSmart's lists of values that a setting may have, and how each is read.

Endpoints and fields: https://knowledge.out-smart.com/openapi and
https://github.com/CloudEcosystemDev/outsmart-component .
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outsmart_sync.providers.outsmart.client import OutSmartClient
    from outsmart_sync.records.setting_kinds import ValueList


@dataclass(frozen=True, slots=True)
class _List:
    """How a list is read.

    Attributes:
        endpoint: Where.
        value: Field with the value.
        title: Fields that tell a person what it means.
        active: Flag field of what may still be chosen.
        usual: What OutSmart offers where an account has no list of its own.
    """

    endpoint: str
    value: str
    title: tuple[str, ...] = ()
    active: str | None = None
    usual: tuple[str, ...] = ()


_LISTS = {
    "work_types": _List(
        "worktypes",
        "wrt_name",
        title=("wrt_description",),
        active="wrt_active",
        usual=(
            "Installatie", "Garantie", "Levering", "Onderhoud", "Project", "Regie", "Reparatie", "Service", "Storing",
            "Verkoop", "Verhuur",
        ),
    ),
    "payment_methods": _List(
        "paymentmethods",
        "pmd_description",
        usual=("niet van toepassing", "op rekening", "contant voldaan", "pin betaling", "conform offerte"),
    ),
    "work_statuses": _List("workstatusses", "sta_code", title=("sta_name",)),
    "employees": _List("employees", "number", title=("firstname", "lastname")),
    "relations": _List("relations", "debtor_number", title=("name",)),
}  # fmt: skip


def read_values(client: OutSmartClient, listed: ValueList) -> list[tuple[str, str]]:
    """The values of a list, each once and in order, with what a person knows them by."""
    wire = _LISTS[listed.name]
    rows = list(client.get_list(wire.endpoint))
    if not rows:
        return [(value, value) for value in wire.usual]
    found: dict[str, str] = {}
    for row in rows:
        chosen = wire.active is None or str(row.get(wire.active)).strip().lower() not in ("0", "false")
        if chosen and (value := str(row.get(wire.value) or "").strip()):
            found[value] = " ".join(str(row[field]).strip() for field in wire.title if row.get(field)) or value
    return sorted(found.items())
