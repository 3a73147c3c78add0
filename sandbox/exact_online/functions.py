"""Answers that are worked out instead of read from a table: Me, UserHasRights and SyncTimestamp."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from multidict import MultiMapping

from sandbox.exact_online.dates import to_iso, to_wire, utc_offset_seconds, wall_clock_ms
from sandbox.exact_online.errors import bad_query
from sandbox.exact_online.odata.literals import read_literal
from sandbox.exact_online.resources import RESOURCES, Resource
from sandbox.exact_online.rows import RowStore
from sandbox.fixed_world import DIVISIONS, User

_ZERO_GUID = "00000000-0000-0000-0000-000000000000"
_LEGISLATIONS = {"NL": 1, "BE": 2, "FR": 3, "DE": 5, "ES": 13}
"""Numbers made up here; what they mean is not documented."""


def me(user: User, now: datetime) -> dict[str, Any]:
    """The user's own record, with what recordings show of it.

    `ServerTime` is Dutch time and `EmployeeID` the zero GUID for somebody who is no employee
    (https://github.com/NangoHQ/integration-templates/tree/main/integrations/exact-online).
    """
    division = DIVISIONS[user.current_division]
    first_name, _, last_name = user.full_name.partition(" ")
    known = {
        "UserID": user.user_id,
        "UserName": user.user_name,
        "FullName": user.full_name,
        "FirstName": first_name,
        "LastName": last_name,
        "Email": user.user_name,
        "Language": user.language,
        "LanguageCode": f"{user.language.lower()}-{division.country}",
        "Legislation": _LEGISLATIONS[division.country],
        "CurrentDivision": user.current_division,
        "AccountingDivision": user.current_division,
        "CustomerCode": "1".rjust(18),
        "DivisionCustomerCode": str(division.code)[-4:].rjust(18),
        "DivisionCustomerName": division.description,
        "EmployeeID": _ZERO_GUID,
        "Gender": "O",
        "IsOEIMigrationMandatory": False,
        "IsClientUser": False,
        "IsStarterUser": False,
        "PackageCode": "SANDBOX",
        "ServerTime": to_iso(wall_clock_ms(now)),
        "ServerUtcOffset": utc_offset_seconds(now),
    }
    return {name: known.get(name) for name in RESOURCES["current/Me"].properties}


def rights_parameters(given: MultiMapping[str]) -> tuple[str, str]:
    """The endpoint and action that `users/UserHasRights` is asked about.

    Raises:
        VendorError: One is missing or not quoted.
    """
    parameters = _parameters(given, {"endpoint", "action"})
    endpoint, action = (read_literal(parameters[name], "Edm.String") for name in ("endpoint", "action"))
    if action not in {"GET", "POST", "PUT", "DELETE"}:
        raise bad_query()
    return endpoint, action


def sync_timestamp(store: RowStore, division: int, given: MultiMapping[str]) -> dict[str, Any]:
    """The Timestamp after which everything modified since a date is found.

    The parameters are `modified` and the endpoint's name; the vendor's text and its example spell `endPoint` in two
    ways, so case does not matter here (https://github.com/picqer/exact-php-client/issues/689).

    Raises:
        VendorError: A parameter is missing or unreadable, or there is no such sync endpoint.
    """
    parameters = _parameters(given, {"modified", "endpoint"})
    modified = read_literal(parameters["modified"], "Edm.DateTime")
    resource = _sync_resource(read_literal(parameters["endpoint"], "Edm.String"))
    versions, rows = store.table(division, resource.rows).version_order()
    first = next((place for place, row in enumerate(rows) if row.Modified >= modified), len(rows))
    before = versions[first - 1] if first else 1
    return {"Modified": to_wire(modified), "API": resource.path, "TimeStampAsBigInt": before}


def _sync_resource(name: str) -> Resource:
    wanted = name.removeprefix("/").removeprefix("sync/").lower()
    for resource in RESOURCES.values():
        short = resource.path.removeprefix("sync/").lower()
        if resource.kind == "sync" and "Modified" in resource.properties and wanted in {short, short.split("/")[-1]}:
            return resource
    raise bad_query()


def _parameters(given: MultiMapping[str], wanted: set[str]) -> Mapping[str, str]:
    """Parameters by lower-case name; `$select` may stand beside them."""
    found = {name.lower(): value for name, value in given.items() if name != "$select"}
    if set(found) != wanted or len(found) < len([name for name in given if name != "$select"]):
        raise bad_query()
    return found
