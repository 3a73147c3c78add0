"""Why Exact refuses to hand something out, in the words of whoever can mend it: the scope, the right or the module.

Exact answers "Forbidden" to all three but the scope, so it is asked whether the user has the right
(https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=UsersUserHasRights).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outsmart_sync.errors import AccessDenied, SyncError

if TYPE_CHECKING:
    from outsmart_sync.providers.exact_online.client import ExactOnlineClient

log = logging.getLogger(__name__)

MODULE_MISSING = "module_missing"
"""Code of a refusal although the user has the right: the administration lacks the module."""

ADMINISTRATION = "Organization administration"
"""The scope of what belongs to no single category: the list of deletions, and that of administrations."""


@dataclass(frozen=True, slots=True)
class Need:
    """What it takes to read or write something.

    Attributes:
        what: What is read, as a person calls it.
        endpoint: Its ordinary endpoint, by which Exact knows the user's right.
        scope: The scope that the app must be registered with.
        right: Name of the right, where it is known.
        writes: It is written, not read.
    """

    what: str
    endpoint: str
    scope: str
    right: str = ""
    writes: bool = False

    @property
    def done(self) -> str:
        """What is done with it, as a participle."""
        return "written" if self.writes else "read"


# https://forums.invantive.com/t/238: this right was needed once, and may be again.
DELETED = Need(
    "the list of deleted records", "sync/Deleted", ADMINISTRATION, "Retrieve deleted records through web services"
)
DIVISIONS = Need("the list of administrations", "system/Divisions", ADMINISTRATION)


_VERBS = {False: "read", True: "write"}
_ENOUGH = {False: "reading is enough", True: "to manage"}
_FINANCE = "Financial "
_EXPORTS = {
    "salesorder/SalesOrders": ("sales orders", "Sales orders"),
    "salesorder/SalesOrderLines": ("sales orders", "Sales orders"),
    "salesinvoice/SalesInvoices": ("sales invoices", "Sales invoices"),
    "salesinvoice/SalesInvoiceLines": ("sales invoices", "Sales invoices"),
    "sync/SalesInvoice/SalesInvoices": ("sales invoices", "Sales invoices"),
    "project/TimeTransactions": ("hours", "Projects billing"),
    "project/CostTransactions": ("costs", "Projects projects"),
    "sync/Project/TimeCostTransactions": ("hours and costs", "Projects billing"),
    "documents/Documents": ("documents", "Organization documents"),
    "documents/DocumentAttachments": ("documents", "Organization documents"),
    "documents/DocumentTypes": ("types of documents", "Organization documents"),
    "crm/Accounts": ("relations", "Crm accounts"),
    "logistics/Items": ("items", "Logistics items"),
    "logistics/Units": ("units", "Logistics items"),
    "logistics/ItemGroups": ("item groups", "Logistics items"),
    "project/Projects": ("projects", "Projects projects"),
    "payroll/Employees": ("employees", "Hrm payroll"),
    "sync/Cashflow/PaymentTerms": ("payments", _FINANCE + "cashflow"),
    "bulk/Cashflow/Receivables": ("payments", _FINANCE + "receivables"),
    "vat/VATCodes": ("VAT codes", _FINANCE + "accounting"),
    "financial/Journals": ("journals", _FINANCE + "generalledgers"),
    "cashflow/PaymentConditions": ("payment conditions", _FINANCE + "cashflow"),
    "inventory/Warehouses": ("warehouses", "Logistics inventory"),
    "sync/Deleted": (DELETED.what, ADMINISTRATION),
}
"""Endpoint → what it holds, and the scope that its page names."""


def need_of(path: str, *, writes: bool = False) -> Need:
    """What it takes to read or write an endpoint that exports use."""
    what, scope = _EXPORTS[path]
    return Need(what, path, scope, writes=writes)


@contextmanager
def explained(client: ExactOnlineClient, need: Need) -> Iterator[None]:
    """Read within this; a refusal says what is missing.

    Raises:
        AccessDenied: As it was raised inside, in other words.
    """
    try:
        yield
    except AccessDenied as error:
        raise _explained(client, need, error) from error


def _explained(client: ExactOnlineClient, need: Need, error: AccessDenied) -> AccessDenied:
    if error.code == "scope_missing":
        return _said(
            error,
            f"The app at Exact Online lacks the scope '{need.scope}', without which {need.what} cannot be {need.done}.",
            remedy=f"Add the scope '{need.scope}' ({_ENOUGH[need.writes]}) to the app in Exact's App Center, then "
            "connect the administration again.",
        )
    if error.code != "no_right":
        return error
    has_right = _has_right(client, need)
    if has_right is None:
        return _said(
            error,
            f"Exact Online does not let us {_VERBS[need.writes]} {need.what} ({need.endpoint}).",
            why="The user's right, a module, or the user's or the app's access to this administration is missing.",
            remedy="Give the user that connected what is missing in Exact, or connect with a user that has it.",
        )
    if has_right:
        return _said(
            error,
            f"Exact Online does not let us {_VERBS[need.writes]} {need.what} ({need.endpoint}), although the user has "
            "the right to.",
            why="The subscription of this administration probably lacks the module that this belongs to "
            f"(Exact's scope '{need.scope}').",
            remedy="Let Exact add the module, or switch off what needs it here.",
            code=MODULE_MISSING,
        )
    right = (
        f"the right '{need.right}'"
        if need.right
        else f"the right to {'make' if need.writes else 'see'} {need.what} ({need.endpoint})"
    )
    return _said(
        error,
        f"The Exact Online user that connected lacks {right}.",
        remedy="Give that user the right in Exact, or connect with a user that has it.",
    )


def _said(error: AccessDenied, what: str, *, remedy: str, why: str = "", code: str = "") -> AccessDenied:
    return AccessDenied(what, why=why, remedy=remedy, code=code or error.code, technical=error.technical)


def _has_right(client: ExactOnlineClient, need: Need) -> bool | None:
    """Whether the user may read it; None: Exact does not say that either."""
    try:
        return client.may(need.endpoint, "POST" if need.writes else "GET")
    except SyncError as error:  # the refusal is the one to hear of
        log.info("Whether the user has the right for %s is not known: %s", need.endpoint, error.technical)
        return None
