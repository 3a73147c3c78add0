"""What can be imported from VISMA eAccounting."""

from __future__ import annotations

from outsmart_sync.providers.visma_eaccounting.articles import HOUR_TYPES_IMPORT, MATERIALS_IMPORT
from outsmart_sync.providers.visma_eaccounting.customers import CUSTOMERS_IMPORT
from outsmart_sync.providers.visma_eaccounting.price_agreements import PRICE_AGREEMENTS_IMPORT
from outsmart_sync.providers.visma_eaccounting.projects import PROJECTS_IMPORT
from outsmart_sync.providers.visma_eaccounting.sales_orders import SALES_ORDERS_IMPORT
from outsmart_sync.providers.visma_eaccounting.values import TIMEZONE
from outsmart_sync.records.catalogue import Package

PACKAGE = Package(
    name="visma_eaccounting",
    label="VISMA eAccounting",
    conn_id="visma_eaccounting_default",
    hook="outsmart_sync.providers.visma_eaccounting.hook:VismaEAccountingHook",
    timezone=TIMEZONE,
    imports=(
        CUSTOMERS_IMPORT,
        MATERIALS_IMPORT,
        HOUR_TYPES_IMPORT,
        PRICE_AGREEMENTS_IMPORT,
        PROJECTS_IMPORT,
        SALES_ORDERS_IMPORT,
    ),
    tiers=("none", "active"),
)
