"""What a company's subscription and settings let an app do, and how VISMA refuses the rest.

Which variant has what: https://github.com/pwitab/visma (swagger.json). The codes are those of
https://developer.vismaonline.com/docs/error-codes-copy-1; the text about `api_standard` is the one users report
(https://community.visma.com/t5/Knowledge-base-in-Visma/tkb-p/IN_MA_eAccountingAPI_knowledgebase).
"""

from collections.abc import Collection

import msgspec

from sandbox.fixed_world import VISMA_COMPANIES
from sandbox.state import Documents, State
from sandbox.visma_eaccounting import errors
from sandbox.visma_eaccounting.errors import ApiError
from sandbox.visma_eaccounting.resources import Operation, Resource

SALES_MODULE, API_MODULE = "sales_standard", "api_standard"
INACTIVE, ACTIVE, READ_ONLY = 0, 1, 2


class Standing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a company stands.

    Attributes:
        variant: The product: 1 Standard, 2 Invoicing, 3 Bookkeeping, 4 Solo, 5 Pro, 6 InvoicingCollaboration.
        modules: Activated modules; orders need `sales_standard`, any call `api_standard`.
        eaccounting: Whether it has eAccounting at all.
        sandbox: Whether it is a company of the sandbox kind; the app's client is one.
        start_guide_done: Whether somebody has finished the guide of the first use.
        licence_accepted: Whether the licence agreement is accepted.
        status: 0 inactive, 1 active, 2 read-only.
    """

    variant: int
    modules: tuple[str, ...]
    eaccounting: bool
    sandbox: bool
    start_guide_done: bool
    licence_accepted: bool
    status: int = ACTIVE


class Standings:
    """How all companies stand, remembered."""

    def __init__(self, state: State) -> None:
        self._changed = Documents(state, "visma_standings", Standing)

    def of(self, company: str) -> Standing:
        """How a company stands."""
        fixed = VISMA_COMPANIES[company]
        return self._changed.get(company) or Standing(
            variant=fixed.variant,
            modules=fixed.modules,
            eaccounting=fixed.eaccounting,
            sandbox=fixed.sandbox,
            start_guide_done=fixed.start_guide_done,
            licence_accepted=fixed.licence_accepted,
        )

    def change(self, company: str, changes: dict[str, object]) -> Standing:
        """Change some of it.

        Raises:
            msgspec.ValidationError: A name is unknown or a value has the wrong type.
        """
        merged = msgspec.to_builtins(self.of(company)) | changes
        self._changed.put(company, msgspec.convert(merged, Standing))
        return self.of(company)

    def reset(self) -> None:
        """All companies as they were made."""
        self._changed.clear()

    def check(self, company: str, operation: Operation, scopes: Collection[str], *, may_write: bool) -> None:
        """Refuse a call that the company, the scopes or the user's rights do not allow.

        Raises:
            ApiError: It is refused.
        """
        if "ea:api" not in scopes or not operation.scopes & set(scopes):
            needed = ", ".join(sorted(operation.scopes))
            raise ApiError(errors.SCOPE_MISSING, f"The scope is missing; any of these is needed: {needed}.")
        standing = self.of(company)
        _check_company(standing)
        _check_subscription(standing, operation.resource)
        if operation.method != "GET" and not may_write:
            raise ApiError(errors.READ_ONLY, "The user has read-only access.")
        if operation.method != "GET" and standing.status == READ_ONLY:
            raise ApiError(errors.PERMISSION_DENIED, "The company is read-only.")


def _check_company(standing: Standing) -> None:
    if not standing.eaccounting:
        raise ApiError(errors.NO_ACCESS, "The authenticated user does not have access to a company with eAccounting.")
    if not standing.sandbox:
        raise ApiError(errors.SANDBOX_CLIENT, "A sandbox client can not be used with a production company.")
    if not standing.licence_accepted:
        raise ApiError(errors.LICENCE, "The license agreement has not been accepted.")
    if not standing.start_guide_done:
        raise ApiError(errors.START_GUIDE, "The startup guide has not been completed.")
    if standing.status == INACTIVE:
        raise ApiError(errors.NOT_ACTIVE, "The company is not active.")


def _check_subscription(standing: Standing, resource: Resource) -> None:
    if API_MODULE not in standing.modules:
        raise ApiError(errors.NO_ACCESS_TO_MODULE, f"No access to module: {API_MODULE}")
    if standing.variant not in resource.variants:
        raise ApiError(errors.VARIANT_WITHOUT_ACCESS, f"The product variant does not have access to {resource.name}.")
    if resource.name == "orders" and SALES_MODULE not in standing.modules:
        raise ApiError(errors.NO_ACCESS_TO_MODULE, f"No access to module: {SALES_MODULE}")
