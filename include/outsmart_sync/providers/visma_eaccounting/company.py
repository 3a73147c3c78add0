"""The company that a login is for: who it is, and what stands in the way of reading it.

Fields: schema ``CompanySettingsApi`` of https://eaccountingapi.vismaonline.com/openapi/v2.json . A token belongs to
    one app,
user and company; ``customer_id`` in it is the company's id at Visma Online, and the only one that no settings change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from outsmart_sync.errors import AccessDenied, VendorUnavailable
from outsmart_sync.records.exchange import Administration

if TYPE_CHECKING:
    from outsmart_sync.providers.visma_eaccounting.client import VismaClient
    from outsmart_sync.records.streams import Row

VARIANTS = {
    1: "Standard",
    2: "Invoicing",
    3: "Bookkeeping",
    4: "Solo",
    5: "Pro",
    6: "Invoicing Collaboration",
}
"""``ProductVariant``."""

_ONLY_PROJECTS, _NO_ORDERS, _PRO = (3,), (4,), 5
_ORDERS_MODULE = "sales_standard"
_INACTIVE, _READ_ONLY = 0, 2


def identity(settings: Row, claims: Mapping[str, Any]) -> str:
    """The company's id: that of the token, or where tokens say nothing, what the company is registered under."""
    for value in (
        claims.get("customer_id"),
        settings.get("CompanyIdentifier"),
        settings.get("CorporateIdentityNumber"),
    ):
        if value:
            return str(value).strip()
    return str(settings.get("Name") or "").strip()


def check(settings: Row, *, expected: str = "", claims: Mapping[str, Any] | None = None) -> str:
    """Whether a company can be read; returns its id.

    Args:
        settings: The company's settings.
        expected: The id that it must have; '': any.
        claims: What the token says of itself.

    Raises:
        AccessDenied: It is another company, or not active.
        VendorUnavailable: The settings do not say who it is.
    """
    found, name = identity(settings, claims or {}), str(settings.get("Name") or "").strip()
    if not found:
        raise VendorUnavailable("VISMA eAccounting does not say which company this is.", remedy="Try again later.")
    if expected and found != expected:
        raise AccessDenied(
            f"The login at VISMA eAccounting is for another company now: {name or found}.",
            why="A login there is for one company, and this one was made anew for a different one.",
            remedy="Log in again and choose the right company: outsmart-sync connect visma-eaccounting. To move to the "
            "other company, disconnect this one and connect that one.",
            code="other_company",
            technical=f"expected {expected}, found {found}",
        )
    if settings.get("CompanyStatus") == _INACTIVE:
        raise AccessDenied(
            f"The company {name} is not active in VISMA eAccounting.",
            remedy="Activate it in eAccounting, or choose another company.",
            code="company_inactive",
        )
    return found


def administration(settings: Row, code: str) -> Administration:
    """The company as it may be chosen."""
    return Administration(
        code=code,
        name=str(settings.get("Name") or code).strip(),
        country=str(settings.get("CountryCode") or "").strip().lower(),
        currency=str(settings.get("CurrencyCode") or "").strip(),
        notes=tuple(_notes(settings)),
    )


def _notes(settings: Row) -> list[str]:
    """What a person should know before the company is fixed."""
    variant, modules = settings.get("ProductVariant"), settings.get("ActivatedModules")
    name = VARIANTS.get(variant, "unknown") if isinstance(variant, int) else "unknown"
    notes: list[str] = []
    notes.append(f"Product variant {name}.")
    if variant in _ONLY_PROJECTS:
        notes.append("This variant has no customers, articles and orders: only projects can be imported.")
    elif variant in _NO_ORDERS:
        notes.append("This variant has no projects and orders: those categories cannot be imported.")
    elif isinstance(modules, list) and _ORDERS_MODULE not in modules:
        notes.append("The extension 'Quote & Order' is off: sales orders cannot be imported until it is switched on.")
    if variant == _PRO:
        notes.append("Discount agreements are not imported: OutSmart has no place for them.")
    elif variant not in _ONLY_PROJECTS:
        notes.append("Price lists are in the variant Pro only: price agreements cannot be imported.")
    if settings.get("CompanyStatus") == _READ_ONLY:
        notes.append("The company is read-only: it can be imported from, and nothing can be exported to it.")
    return notes


def look(client: VismaClient, *, expected: str = "") -> tuple[str, Row, Mapping[str, Any]]:
    """Read and check a company: its id, its settings, and what the token says of itself."""
    settings, claims = client.company_settings(), client.claims()
    return check(settings, expected=expected, claims=claims), settings, claims
