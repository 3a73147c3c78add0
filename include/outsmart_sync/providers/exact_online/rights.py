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
    """What it takes to read something.

    Attributes:
        what: What is read, as a person calls it.
        endpoint: Its ordinary endpoint, by which Exact knows the user's right.
        scope: The scope that the app must be registered with.
        right: Name of the right, where it is known.
    """

    what: str
    endpoint: str
    scope: str
    right: str = ""


# https://forums.invantive.com/t/238: this right was needed once, and may be again.
DELETED = Need(
    "the list of deleted records", "sync/Deleted", ADMINISTRATION, "Retrieve deleted records through web services"
)
DIVISIONS = Need("the list of administrations", "system/Divisions", ADMINISTRATION)


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
            f"The app at Exact Online lacks the scope '{need.scope}', without which {need.what} cannot be read.",
            remedy=f"Add the scope '{need.scope}' (reading is enough) to the app in Exact's App Center, then connect "
            "the administration again.",
        )
    if error.code != "no_right":
        return error
    has_right = _has_right(client, need)
    if has_right is None:
        return _said(
            error,
            f"Exact Online does not let us read {need.what} ({need.endpoint}).",
            why="The user's right, a module, or the user's or the app's access to this administration is missing.",
            remedy="Give the user that connected what is missing in Exact, or connect with a user that has it.",
        )
    if has_right:
        return _said(
            error,
            f"Exact Online does not let us read {need.what} ({need.endpoint}), although the user has the right to.",
            why="The subscription of this administration probably lacks the module that this belongs to "
            f"(Exact's scope '{need.scope}').",
            remedy="Let Exact add the module, or switch off what needs it here.",
            code=MODULE_MISSING,
        )
    right = f"the right '{need.right}'" if need.right else f"the right to see {need.what} ({need.endpoint})"
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
        return client.may_read(need.endpoint)
    except SyncError as error:  # the refusal is the one to hear of
        log.info("Whether the user has the right for %s is not known: %s", need.endpoint, error.technical)
        return None
