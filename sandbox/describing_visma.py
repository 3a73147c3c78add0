"""What VISMA's part of the world holds, counted."""

from collections.abc import Callable
from typing import Any

from sandbox.fixed_world import VISMA_APP, VISMA_COMPANIES, VISMA_USERS, VismaCompany
from sandbox.visma_eaccounting.resources import RESOURCES, Row
from sandbox.visma_eaccounting.rows import RowStore

Kind = Callable[[Row], bool]


def _has(field: str, value: object) -> Kind:
    return lambda row: getattr(row, field) == value


def _each(field: str, **values: object) -> dict[str, Kind]:
    return {name: _has(field, value) for name, value in values.items()}


KINDS: dict[str, dict[str, Kind]] = {
    "customers": _each("IsActive", active=True, inactive=False)
    | {
        "private_persons": _has("IsPrivatePerson", value=True),
        "without_postcode": _has("InvoicePostalCode", ""),
        "leading_zeros": lambda row: row.CustomerNumber.startswith("0"),
        "labelled": lambda row: bool(row.CustomerLabels),
    },
    "articles": _each("IsActive", active=True, inactive=False)
    | {"without_price": _has("NetPrice", 0), "labelled": lambda row: bool(row.ArticleLabels)},
    "projects": _each("Status", ongoing=1, finished=2),
    "customerinvoices": _each("PaymentStatus", paid=0, unpaid=1)
    | {"of_orders": lambda row: row.CreatedFromOrderId is not None}
    | {"of_drafts": lambda row: row.CreatedFromDraftId is not None},
    "orders": _each("Status", draft=1, ongoing=2, shipped=3, invoiced=4) | {"without_number": _has("Number", None)},
}


def describe_visma(store: RowStore) -> dict[str, Any]:
    """The app, users and companies, and what each company holds."""
    return {
        "app": {"client_id": VISMA_APP.client_id, "client_secret": VISMA_APP.client_secret, "name": VISMA_APP.name},
        "users": [
            {
                "user_name": user.user_name,
                "password": user.password,
                "default_company": user.default_company,
                "companies": user.companies,
            }
            for user in VISMA_USERS.values()
        ],
        "companies": [_company(store, one) for one in VISMA_COMPANIES.values()],
    }


def _company(store: RowStore, company: VismaCompany) -> dict[str, Any]:
    return {
        "code": company.code,
        "id": company.id,
        "name": company.full_name,
        "country": company.country,
        "currency": company.currency,
        "variant": company.variant,
        "modules": company.modules,
        "counts": {name: _counts(store, company.code, name) for name in sorted(RESOURCES)},
    }


def _counts(store: RowStore, company: str, resource: str) -> dict[str, int]:
    rows = list(store.table(company, resource).by_key.values())
    kinds = {name: sum(map(kind, rows)) for name, kind in KINDS.get(resource, {}).items()}
    counts = {"total": len(rows)} | kinds
    return counts | (_by_unit(store, company, rows) if resource == "articles" else {})


def _by_unit(store: RowStore, company: str, articles: list[Row]) -> dict[str, int]:
    """How many articles are counted in hours."""
    hours = {one.Id for one in store.table(company, "units").by_key.values() if one.Code == "HUR"}
    return {"in_hours": sum(one.UnitId in hours for one in articles)}
