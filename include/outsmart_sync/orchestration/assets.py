"""One Airflow asset per import category, so that other DAGs can start once fresh records are in OutSmart.

``schedule=[Asset("outsmart_sync/exact_online/relations")]`` starts a DAG whenever a connection's relations were brought
there; the event says which connection, and what became of how many. An idle cycle makes no event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from outsmart_sync.records.catalogue import ImportCategory, Package


def asset_of(package: Package, category: ImportCategory) -> Asset:
    """The asset of a category of a package, whatever the connection."""
    return Asset(name=f"outsmart_sync/{package.name}/{category.name}", group="outsmart-sync")


def tell(context: Any, connection_id: int, label: str, figures: Mapping[str, int]) -> None:
    """Say in a task's asset event what has become of records."""
    for asset in context["task"].outlets:
        context["outlet_events"][asset].extra |= {"connection": connection_id, "administration": label, **figures}
