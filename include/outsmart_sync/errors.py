"""Everything that can go wrong, grouped by what the caller should do about it.

::

    SyncError
    ├── ConfigurationError        a person must change something first; never retried
    │   ├── NotConfigured           a connection, address or key is missing
    │   ├── InvalidSettings         a setting that cannot be saved
    │   ├── LoginExpired            the package no longer accepts our login: connect again
    │   ├── AccessDenied            right, scope, module or licence missing at the vendor
    │   ├── RequestRefused          the vendor calls our request wrong: a defect, or its rules changed
    │   ├── VaultLocked             tokens cannot be decrypted with the keys at hand
    │   ├── StoreUnusable           the store is read-only, full, unreachable or of another version
    │   └── StagingGone             rows of an earlier step were cleaned up: clear ``extract``
    ├── TransientError            the same call may work later; ``retry_at`` says when, if known
    │   ├── RateLimited             the vendor's minute or day limit is used up
    │   ├── VendorUnavailable       gateway errors, maintenance, dropped sockets
    │   │   └── RenewalRefused        a login is not renewed, in words that have been seen to pass
    │   └── Busy                    another run holds the lease of this category
    ├── RecordError               one record was refused; the others go on
    └── UncertainOutcome          a write was sent and no answer came: look it up, never repeat blindly

Every error speaks to two readers: ``what``, ``why`` and ``remedy`` are sentences for an office worker, ``technical`` is
for the engineer. ``code`` is stable and is what tests, settings pages and alerts refer to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

CONNECTION_MISSING = "connection_missing"
"""Code of the error for an Airflow connection that nobody has set up."""

_SENTENCE_ENDS = re.compile(r"""[.!?:;…]["')\]]*$""")


class SyncError(Exception):
    """Root of all errors that OutSmart Sync raises on purpose.

    Args:
        what: What happened, one sentence.
        why: Why it happened, as far as known.
        remedy: What to do next.
        code: Stable identifier, lower case with underscores.
        technical: Text for the engineer; never holds a secret.
    """

    code = "sync_error"

    def __init__(self, what: str, *, why: str = "", remedy: str = "", code: str = "", technical: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.remedy = remedy
        self.code = code or type(self).code
        self.technical = technical

    def __str__(self) -> str:
        *earlier, last = [part for part in (self.what, self.why, self.remedy) if part] or [""]
        return " ".join([*map(_ended, earlier), last])


def _ended(part: str) -> str:
    """A part with a full stop at its end, for another one to follow; a vendor's own words often have none."""
    return part if _SENTENCE_ENDS.search(part) else f"{part}."


class ConfigurationError(SyncError):
    """A person must change something before this can work."""

    code = "configuration"


class NotConfigured(ConfigurationError):
    """A connection, address or key that is needed has not been set up."""

    code = "not_configured"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one setting, for a form to say beside it.

    Attributes:
        category: Name of the category; '' for the connection itself.
        setting: Name of the setting; '' for the category as a whole.
        text: The sentence.
    """

    category: str
    setting: str
    text: str

    def __str__(self) -> str:
        return self.text


class InvalidSettings(ConfigurationError):
    """A setting was refused; nothing of the change has been saved.

    Attributes:
        problems: Everything that is wrong, each with its place.
    """

    code = "invalid_settings"
    problems: tuple[Problem, ...] = ()

    def at(self, problems: Iterable[Problem]) -> Self:
        """The same error, knowing where its problems are."""
        self.problems = tuple(problems)
        return self


class LoginExpired(ConfigurationError):
    """The package no longer accepts the stored login."""

    code = "login_expired"


class AccessDenied(ConfigurationError):
    """The login works, but a right, scope, module or licence is missing."""

    code = "access_denied"


class RequestRefused(ConfigurationError):
    """The vendor calls the request itself wrong; repeating it would only feed its error limit.

    Args:
        until: When calls start again by themselves, aware UTC; None: when a person says so.
    """

    code = "request_refused"

    def __init__(
        self,
        what: str,
        *,
        why: str = "",
        remedy: str = "",
        code: str = "",
        technical: str = "",
        until: datetime | None = None,
    ) -> None:
        super().__init__(what, why=why, remedy=remedy, code=code, technical=technical)
        self.until = until


class VaultLocked(ConfigurationError):
    """The token vault cannot be opened with the keys that are configured."""

    code = "vault_locked"


class StoreUnusable(ConfigurationError):
    """The store cannot be read or written."""

    code = "store_unusable"


class StagingGone(ConfigurationError):
    """The rows that an earlier step staged have been cleaned up."""

    code = "staging_gone"


class TransientError(SyncError):
    """The same call may work later.

    Args:
        retry_at: When it makes sense to try again, aware UTC; None: unknown.
    """

    code = "transient"

    def __init__(
        self,
        what: str,
        *,
        why: str = "",
        remedy: str = "",
        code: str = "",
        technical: str = "",
        retry_at: datetime | None = None,
    ) -> None:
        super().__init__(what, why=why, remedy=remedy, code=code, technical=technical)
        self.retry_at = retry_at


class RateLimited(TransientError):
    """The vendor's call limit is used up until ``retry_at``."""

    code = "rate_limited"


class VendorUnavailable(TransientError):
    """The vendor does not answer, or answers with a gateway error."""

    code = "vendor_unavailable"


class RenewalRefused(VendorUnavailable):
    """The vendor refuses to renew a login in words that say nothing: it may pass, or the consent may be gone."""

    code = "renewal_refused"


class Busy(TransientError):
    """Somebody else is doing this right now."""

    code = "busy"


class RecordError(SyncError):
    """One record was refused; it goes to the sync log and the others go on."""

    code = "record_refused"


class UncertainOutcome(SyncError):
    """A write was sent and its answer never came."""

    code = "uncertain_outcome"
