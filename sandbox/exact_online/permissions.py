"""What an app, a user and a company's licence allow."""

from sandbox.exact_online.errors import FORBIDDEN, LICENCE_EXPIRED, SCOPE_VIOLATED, VendorError
from sandbox.exact_online.grants import Session
from sandbox.exact_online.resources import RESOURCES, Resource, entity_of
from sandbox.state import Documents, State
from sandbox.switches import SwitchBoard

WITHOUT_DIVISION_CHECK = frozenset({"system/Divisions"})
"""Its division is not looked at, Exact's support said (https://github.com/picqer/exact-php-client/issues/470)."""

SCOPES = frozenset(one.scope for one in RESOURCES.values() if one.scope)


class Permissions:
    """Checks calls; scopes and rights can be taken away and given back."""

    def __init__(self, state: State, switches: SwitchBoard) -> None:
        self._switches = switches
        self._scopes_removed = Documents(state, "scopes_removed", bool)
        self._rights_removed = Documents(state, "rights_removed", bool)

    @property
    def scopes(self) -> list[str]:
        """The scopes the app is registered with."""
        return sorted(scope for scope in SCOPES if self._scopes_removed.get(scope) is None)

    @property
    def rights_removed(self) -> list[str]:
        """Rights taken from users, as `user action entity`."""
        return sorted(self._rights_removed.keys())

    def set_scope(self, scope: str, *, given: bool) -> None:
        """Give the app a scope, or take it away."""
        _set(self._scopes_removed, scope, given=given)

    def set_right(self, user_name: str, action: str, path: str, *, given: bool) -> None:
        """Give a user a right, or take it away; a right covers all ways to the same rows."""
        _set(self._rights_removed, f"{user_name} {action} {entity_of(path)}", given=given)

    def has_right(self, session: Session, action: str, path: str) -> bool:
        """Whether the user may do something with the rows behind a path; nobody may where nothing is served."""
        if path not in RESOURCES or (action != "GET" and not session.user.may_write):
            return False
        return self._rights_removed.get(f"{session.user.user_name} {action} {entity_of(path)}") is None

    def check(self, session: Session, division: int, resource: Resource, action: str) -> None:
        """Refuse what is not allowed.

        Raises:
            VendorError: The company, its licence, the app's scopes or the user's rights forbid the call.
        """
        if division not in session.divisions and resource.path not in WITHOUT_DIVISION_CHECK:
            raise VendorError(403, FORBIDDEN)
        if division in self._switches.now.licence_expired:
            raise VendorError(403, LICENCE_EXPIRED)
        if resource.scope is not None and resource.scope not in self.scopes:
            raise VendorError(403, SCOPE_VIOLATED)
        if resource.kind != "function" and not self.has_right(session, action, resource.path):
            raise VendorError(403, FORBIDDEN)


def _set(removed: Documents[bool], key: str, *, given: bool) -> None:
    if given:
        removed.delete(key)
    else:
        removed.put(key, body=True)
