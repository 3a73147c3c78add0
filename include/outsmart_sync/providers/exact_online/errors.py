"""What Exact's answers mean, as data.

Sources: status table and texts gathered from the threads named beside the rows; the error-velocity rule (more than ten
400, 401, 403 or 404 an hour block an endpoint) is described at https://docs.maesn.com/rate-limits .
"""

from __future__ import annotations

from outsmart_sync.errors import (
    AccessDenied,
    LoginExpired,
    NotConfigured,
    RateLimited,
    RecordError,
    RenewalRefused,
    RequestRefused,
    UncertainOutcome,
    VendorUnavailable,
)
from outsmart_sync.providers.outcomes import Outcome, Reaction

_RECONNECT = "Connect the administration again: outsmart-sync connect exact-online."
_DEFECT = "This is a defect in OutSmart Sync or a change at Exact: send the task's log to whoever maintains it."
_BY_ITSELF = "The sync is tried again by itself."
_RENEWAL_REMEDY = (
    "It is tried again by itself. If it has not gone well after a day, the administration must be connected again."
)

COUNTS_AS_ERROR = frozenset({400, 401, 403, 404})
"""Statuses that feed Exact's error-velocity limit."""

API_OUTCOMES = (
    Outcome(
        401, (), LoginExpired, "login_refused", "Exact Online no longer accepts the login.", _RECONNECT, Reaction.RENEW
    ),
    # https://github.com/picqer/exact-php-client/issues/659
    Outcome(
        403,
        ("scope violat",),
        AccessDenied,
        "scope_missing",
        "The app at Exact Online lacks the permission (scope) for this.",
        "Add the scope to the app in Exact's App Center, then connect the administration again.",
    ),
    # https://forums.invantive.com/t/receive-email-when-exact-online-subscription-is-blocked-itgenoda060-itgenoda219/407
    Outcome(
        403,
        ("license", "licence", "licentie"),
        AccessDenied,
        "licence_ended",
        "The Exact Online subscription of this administration has ended or is blocked.",
        "Renew it with Exact.",
    ),
    # https://support.zapfloorhq.com/knowledge-base/troubleshooting-erros-for-syncing-invoices-to-exact-online
    Outcome(
        403,
        (),
        AccessDenied,
        "no_right",
        "The Exact Online user may not do this: a user right, a module or the access to this company is missing.",
        "Give the user that connected the right in Exact, or connect with a user that has it.",
    ),
    Outcome(
        404, (), RequestRefused, "not_found", "Exact Online does not know the address that was called: {text}", _DEFECT
    ),
    *(
        Outcome(status, (), RequestRefused, "bad_request", "Exact Online calls the request wrong: {text}", _DEFECT)
        for status in (400, 405, 410, 413, 414, 415)
    ),
    # https://forums.invantive.com/t/itgenoda055-http-408-request-timeout-errors-op-exact-online/1368
    Outcome(
        408,
        (),
        VendorUnavailable,
        "vendor_timeout",
        "Exact Online took too long to answer.",
        _BY_ITSELF,
        Reaction.REPEAT,
    ),
    Outcome(429, (), RateLimited, "rate_limited", "Exact Online's call limit is used up.", _BY_ITSELF, Reaction.WAIT),
    # https://github.com/picqer/exact-php-client/issues/91
    Outcome(
        500,
        (),
        VendorUnavailable,
        "vendor_fault",
        "Exact Online has a fault of its own: {text}",
        _BY_ITSELF,
        Reaction.REPEAT,
    ),
    # 502, 503, 504, 599 and whatever gateways invent: https://forums.invantive.com/t/itgenclr083-melding-bij-start-exact-online-replicatie-proces/404
    Outcome(
        None,
        (),
        VendorUnavailable,
        "vendor_unavailable",
        "Exact Online is not available at the moment.",
        _BY_ITSELF,
        Reaction.REPEAT,
    ),
)

NO_CLEAR_ANSWER = Outcome(
    None,
    (),
    UncertainOutcome,
    "uncertain_outcome",
    "Exact Online gave no clear answer to what was sent: it may be there or not.",
)
"""For every answer to a change that does not say what became of it."""

_CORRECT = "Correct it in OutSmart or in the settings of the export, then send it again."
WRITE_OUTCOMES = (
    *(row for row in API_OUTCOMES if row.status in (401, 403, 429)),
    # https://github.com/picqer/exact-php-client/issues/461
    Outcome(400, (), RecordError, "bad_request", "Exact Online cannot read it: {text}", _DEFECT),
    Outcome(
        404, (), RecordError, "gone", "It is not there any more in Exact Online.", "Send it again to make a new one."
    ),
    Outcome(413, (), RecordError, "too_large", "It is larger than Exact Online takes (10 MB)."),
    *(
        Outcome(status, (), RecordError, "bad_request", "Exact Online calls the request wrong: {text}", _DEFECT)
        for status in (405, 410, 414, 415)
    ),
    # https://github.com/picqer/exact-php-client/issues/172
    Outcome(
        500,
        ("(type)", "(soort)", "(typ)"),
        RecordError,
        "no_customer",
        "The relation is no customer in Exact Online: {text}",
        "Give the relation the status Customer in Exact, then send it again.",
    ),
    Outcome(
        500,
        ("blocked", "geblokkeerd"),
        RecordError,
        "blocked",
        "The relation is blocked in Exact Online: {text}",
        "Unblock it in Exact, then send it again.",
    ),
    # https://github.com/picqer/exact-php-client/issues/161
    Outcome(
        500,
        ("mandatory", "verplicht", "pflicht", "obligat"),
        RecordError,
        "value_missing",
        "Exact Online misses a value: {text}",
        "Fill it in in OutSmart, or choose it in the settings of the export, then send it again.",
    ),
    # https://github.com/picqer/exact-php-client/issues/416
    Outcome(
        500,
        ("already exists", "bestaat reeds", "bestaat al"),
        RecordError,
        "already_exists",
        "Exact Online has one with the same code already: {text}",
        "Link it, or give it another code.",
    ),
    # https://github.com/picqer/exact-php-client/issues/492
    Outcome(
        500,
        ("not allow", "niet toegestaan"),
        RecordError,
        "licence_lacks",
        "The Exact Online subscription of this administration does not have this field: {text}",
        "Empty its setting (a warehouse needs Plus or more), then send it again.",
    ),
    Outcome(
        500,
        ("status",),
        RecordError,
        "done_with",
        "It is shipped, invoiced, processed or closed in Exact Online, so it takes no change: {text}",
        "Make the change there by hand.",
    ),
    # https://github.com/picqer/exact-php-client/issues/91: a fault of its own, which says nothing of what was done.
    Outcome(
        500,
        ("problem has occurred", "probleem opgetreden"),
        UncertainOutcome,
        "uncertain_outcome",
        "Exact Online has a fault of its own, and does not say what became of what was sent: {text}",
    ),
    Outcome(500, (), RecordError, "refused", "Exact Online refuses it: {text}", _CORRECT),
    NO_CLEAR_ANSWER,
)
"""What answers to a change mean: 500 with a message of Exact's own is a refusal, nothing was done.

A gateway's error, and a 500 without such a message, say nothing; see ``writing.py``.
"""

RENEWAL_FAILED = Outcome(
    None,
    (),
    VendorUnavailable,
    "token_endpoint_unavailable",
    "Exact Online could not renew the login just now: {text}",
    _RENEWAL_REMEDY,
    Reaction.REPEAT,
)
"""For every answer that says nothing about the login."""

TOKEN_OUTCOMES = (
    # https://github.com/websmurf/laravel-exact-online/issues/31
    Outcome(
        400,
        ("access_token not expired", "tooearly", "too early"),
        RateLimited,
        "token_too_early",
        "Exact Online does not renew a login within its first 570 seconds.",
        _BY_ITSELF,
    ),
    # https://github.com/websmurf/laravel-exact-online/issues/22
    Outcome(
        400,
        ("refresh token expired",),
        LoginExpired,
        "login_expired",
        "The login at Exact Online has expired: it was not used for 30 days.",
        _RECONNECT,
    ),
    # https://github.com/websmurf/laravel-exact-online/issues/28
    Outcome(
        None,
        ("invalid_client", "unauthorized_client"),
        NotConfigured,
        "client_refused",
        "Exact Online does not know the app's client id or secret.",
        "Correct login and password of the Airflow connection; after a new registration, connect again.",
    ),
    # https://github.com/picqer/exact-php-client/issues/549
    Outcome(
        401,
        ("old refresh token",),
        LoginExpired,
        "refresh_token_used",
        "The login at Exact Online has been replaced by another one.",
        "Somebody connected the same user elsewhere, or a renewed login was lost. " + _RECONNECT,
    ),
    Outcome(
        None, ("invalid_grant",), LoginExpired, "login_expired", "Exact Online no longer accepts the login.", _RECONNECT
    ),
    Outcome(401, (), LoginExpired, "login_refused", "Exact Online no longer accepts the login.", _RECONNECT),
    Outcome(
        400,
        ("rate limit", "limit exceeded"),
        RateLimited,
        "token_limit",
        "Exact Online's limit for renewing logins is used up.",
        _BY_ITSELF,
    ),
    # https://github.com/picqer/exact-php-client/issues/523
    Outcome(429, (), RateLimited, "token_limit", "Exact Online's limit for renewing logins is used up.", _BY_ITSELF),
    # A consent that was withdrawn, but also https://github.com/picqer/exact-php-client/issues/497: false 400 answers at
    # night, where the same token works later. Only time tells them apart.
    Outcome(
        400,
        (),
        RenewalRefused,
        RenewalRefused.code,
        "Exact Online could not renew the login just now: {text}",
        _RENEWAL_REMEDY,
        Reaction.REPEAT,
    ),
    RENEWAL_FAILED,
)

CODE_REFUSED = Outcome(
    None,
    (),
    LoginExpired,
    "login_code_refused",
    "Exact Online does not accept this login any more: {text}",
    "A login must be finished within three minutes and works once. Start it again.",
)
"""For the exchange of a code: there a plain 400 means that the code is old or used."""

LOGIN_UNFINISHED = Outcome(
    None,
    (),
    VendorUnavailable,
    "login_unfinished",
    "Exact Online could not finish the login: {text}",
    "Start it again in a few minutes; a login is not finished by itself.",
)
"""For the exchange of a code that got no usable answer."""
