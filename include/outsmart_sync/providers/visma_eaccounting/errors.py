"""What VISMA eAccounting's answers mean, as data.

Codes: https://developer.vismaonline.com/docs/error-codes-copy-1 . Which HTTP status goes with which is published
    nowhere,
so a row's ``status`` is the code of the answer's body, and the HTTP status only where the body has none. The text about
``api_standard`` is the one that users report
(https://community.visma.com/t5/Knowledge-base-in-Visma/tkb-p/IN_MA_eAccountingAPI_knowledgebase).
"""

from __future__ import annotations

from outsmart_sync.errors import (
    AccessDenied,
    LoginExpired,
    NotConfigured,
    RateLimited,
    RecordError,
    RequestRefused,
    UncertainOutcome,
    VendorUnavailable,
)
from outsmart_sync.providers.outcomes import Outcome, Reaction

_RECONNECT = "Connect the company again: outsmart-sync connect visma-eaccounting."
_DEFECT = "This is a defect in OutSmart Sync or a change at VISMA: send the task's log to whoever maintains it."
_BY_ITSELF = "The sync is tried again by itself."
_MODULES = "Apps and extensions (in newer menus: Integration)"

QUERY_REFUSED = "query_refused"
"""Code of the error for a filter or order that a list does not take."""

GONE = "not_found"
"""Code of the error for what is not there."""
GONE_CODE = 3000
"""VISMA's own code for that."""

COUNTS_AS_ERROR = frozenset({400, 401, 403, 404})
"""HTTP statuses after which an endpoint that gives them again and again is left alone for a while."""

API_OUTCOMES = (
    Outcome(
        401,
        (),
        LoginExpired,
        "login_refused",
        "VISMA eAccounting no longer accepts the login.",
        _RECONNECT,
        Reaction.RENEW,
    ),
    Outcome(
        4005,
        (),
        LoginExpired,
        "login_refused",
        "VISMA eAccounting no longer accepts the login.",
        _RECONNECT,
        Reaction.RENEW,
    ),
    Outcome(
        range(400, 4100),
        ("api_standard",),
        AccessDenied,
        "api_module_missing",
        "The company in VISMA eAccounting is not open to integrations (module api_standard).",
        f"Switch it on in eAccounting under {_MODULES}. If it is on, you may have connected your default company "
        f"instead "
        "of this one: connect again and choose the company on VISMA's page.",
    ),
    Outcome(
        range(400, 4100),
        ("sales_standard",),
        AccessDenied,
        "order_module_missing",
        "The company in VISMA eAccounting has no orders: the extension 'Quote & Order' (module sales_standard) is off.",
        f"Switch it on in eAccounting under {_MODULES}, or switch sales orders off here.",
    ),
    Outcome(
        4002,
        ("module",),
        AccessDenied,
        "module_missing",
        "A module of VISMA eAccounting that this needs is off: {text}",
        f"Switch it on in eAccounting under {_MODULES}, or switch the category off here.",
    ),
    Outcome(
        4003,
        (),
        AccessDenied,
        "start_guide",
        "The start guide of this company in VISMA eAccounting has not been finished.",
        "Log in to eAccounting, finish the guide that it opens with, and connect or sync again.",
    ),
    Outcome(
        4004,
        (),
        AccessDenied,
        "company_inactive",
        "This company is not active in VISMA eAccounting.",
        "Activate it in eAccounting, or disconnect it here.",
    ),
    Outcome(
        4006,
        (),
        AccessDenied,
        "scope_missing",
        "The login at VISMA eAccounting lacks a permission (scope) for this: {text}",
        _RECONNECT,
    ),
    Outcome(
        4009,
        (),
        AccessDenied,
        "variant",
        "The product variant of this company in VISMA eAccounting does not have this: {text}",
        "Switch the category off here, or change to a variant that has it: orders and projects need Standard or Pro, "
        "customer prices need Pro.",
    ),
    Outcome(
        4012,
        (),
        AccessDenied,
        "licence_agreement",
        "VISMA's licence agreement has not been accepted for this company.",
        "Log in to eAccounting as its administrator and accept the agreement.",
    ),
    Outcome(
        4034,
        (),
        NotConfigured,
        "sandbox_client",
        "The app's client id is one for tests (sandbox), and this is a real company.",
        "Put the client id and secret of the production registration into the Airflow connection, or log in and "
        "choose a "
        "company whose name ends in 'sandbox'.",
    ),
    *(
        Outcome(
            code,
            (),
            AccessDenied,
            "no_right",
            "The VISMA eAccounting user may not do this: {text}",
            "Give the user that connected the right in eAccounting, or connect with a user that has it.",
        )
        for code in (3003, 4007, 4011, 4019)
    ),
    Outcome(4010, (), RateLimited, "rate_limited", "VISMA's limit of calls is used up.", _BY_ITSELF, Reaction.WAIT),
    Outcome(429, (), RateLimited, "rate_limited", "VISMA's limit of calls is used up.", _BY_ITSELF, Reaction.WAIT),
    Outcome(6000, (), RequestRefused, QUERY_REFUSED, "VISMA eAccounting does not take this question: {text}", _DEFECT),
    Outcome(6001, (), RequestRefused, "bad_date", "VISMA eAccounting cannot read a date of ours: {text}", _DEFECT),
    Outcome(GONE_CODE, (), RequestRefused, GONE, "VISMA eAccounting does not have what was asked for: {text}", _DEFECT),
    *(
        Outcome(
            code,
            (),
            VendorUnavailable,
            "vendor_fault",
            "VISMA eAccounting has a fault of its own: {text}",
            _BY_ITSELF,
            Reaction.REPEAT,
        )
        for code in (4100, 5000, 5001, 5002)
    ),
    Outcome(404, (), RequestRefused, GONE, "VISMA eAccounting does not know what was called: {text}", _DEFECT),
    Outcome(
        403,
        (),
        AccessDenied,
        "no_right",
        "VISMA eAccounting does not allow this: {text}",
        "Check the user's rights, the product variant and the modules of the company in eAccounting.",
    ),
    Outcome(
        408, (), VendorUnavailable, "vendor_timeout", "VISMA took too long to answer.", _BY_ITSELF, Reaction.REPEAT
    ),
    Outcome(
        range(500, 600),
        (),
        VendorUnavailable,
        "vendor_unavailable",
        "VISMA eAccounting is not available at the moment.",
        _BY_ITSELF,
        Reaction.REPEAT,
    ),
    *(
        Outcome(status, (), RequestRefused, "bad_request", "VISMA eAccounting calls the request wrong: {text}", _DEFECT)
        for status in (range(400, 500), range(2000, 6000))
    ),
    Outcome(
        None,
        (),
        VendorUnavailable,
        "vendor_unavailable",
        "VISMA eAccounting is not available at the moment.",
        _BY_ITSELF,
        Reaction.REPEAT,
    ),
)
"""What a call of the API may end in; the code of the body goes before the HTTP status."""

UNREACHABLE = Outcome(
    None,
    (),
    VendorUnavailable,
    "vendor_unreachable",
    "VISMA eAccounting cannot be reached.",
    "The sync is tried again by itself; if this stays, check the network of the machine that runs Airflow.",
    Reaction.REPEAT,
)
UNREADABLE = Outcome(
    None,
    (),
    VendorUnavailable,
    "vendor_unreadable",
    "VISMA eAccounting's answer was cut off or is no data.",
    _BY_ITSELF,
    Reaction.REPEAT,
)

NO_CLEAR_ANSWER = Outcome(
    None,
    (),
    UncertainOutcome,
    "uncertain_outcome",
    "VISMA eAccounting gave no clear answer to what was sent: it may be there or not.",
)
"""For every answer to a change that does not say what became of it."""

_CORRECT = "Correct it in OutSmart, in eAccounting or in the settings of the export, then send it again."
WRITE_OUTCOMES = (
    *(row for row in API_OUTCOMES if issubclass(row.error, (AccessDenied, LoginExpired, NotConfigured, RateLimited))),
    Outcome(
        3000,
        (),
        RecordError,
        GONE,
        "VISMA eAccounting does not have something that this refers to: {text}",
        "Send it again: what it refers to is looked up anew.",
    ),
    Outcome(
        3001,
        (),
        RecordError,
        "no_fiscal_year",
        "VISMA eAccounting has no fiscal year for its date: {text}",
        "Add the fiscal year in eAccounting, then send it again.",
    ),
    *(
        Outcome(
            code,
            (),
            RecordError,
            "already_exists",
            "VISMA eAccounting has one with the same number already: {text}",
            "Link it, or give it another number.",
        )
        for code in (4000, 409)
    ),
    Outcome(
        5005,
        (),
        RecordError,
        "project_ended",
        "The project has ended in VISMA eAccounting: {text}",
        "Open it again there, or take it off the work order.",
    ),
    Outcome(
        4024,
        (),
        RecordError,
        "no_account",
        "The coding of an article lacks a sales account: {text}",
        "Complete the article account coding in eAccounting, then send it again.",
    ),
    *(
        Outcome(
            code,
            (),
            RecordError,
            "period_locked",
            "VISMA eAccounting does not take its date: {text}",
            "Open the period there, or bill it by hand.",
        )
        for code in (4023, 4026, 4038)
    ),
    *(
        Outcome(
            code, (), RecordError, "vat_number", "VISMA eAccounting does not accept the VAT number: {text}", _CORRECT
        )
        for code in (4025,)
    ),
    Outcome(413, (), RecordError, "too_large", "It is larger than VISMA eAccounting takes."),
    # Codes at which VISMA may have done it all the same: its own faults, and services behind it.
    *(
        Outcome(code, (), UncertainOutcome, "uncertain_outcome", NO_CLEAR_ANSWER.what)
        for code in (408, 4100, 5000, 5001, 5002, range(500, 600))
    ),
    *(
        Outcome(status, (), RecordError, "refused", "VISMA eAccounting refuses it: {text}", _CORRECT)
        for status in (range(400, 500), range(2000, 6000))
    ),
    NO_CLEAR_ANSWER,
)
"""What a change may end in; the code of the body goes before the HTTP status."""

RENEWAL_FAILED = Outcome(
    None,
    (),
    VendorUnavailable,
    "token_endpoint_unavailable",
    "VISMA could not renew the login just now: {text}",
    _BY_ITSELF,
    Reaction.REPEAT,
)
"""For every answer that says nothing about the login."""

TOKEN_OUTCOMES = (
    Outcome(
        None,
        ("invalid_client", "unauthorized_client"),
        NotConfigured,
        "client_refused",
        "VISMA does not know the app's client id or secret.",
        "Correct login and password of the Airflow connection; after a new registration, connect again.",
    ),
    Outcome(
        None,
        ("invalid_grant",),
        LoginExpired,
        "login_expired",
        "VISMA no longer accepts the login: it was withdrawn or replaced, or the user's password was changed.",
        _RECONNECT,
    ),
    Outcome(401, (), LoginExpired, "login_refused", "VISMA no longer accepts the login.", _RECONNECT),
    Outcome(429, (), RateLimited, "token_limit", "VISMA's limit for renewing logins is used up.", _BY_ITSELF),
    RENEWAL_FAILED,
)
"""What the token endpoint answers: plain OAuth errors."""

CODE_REFUSED = Outcome(
    None,
    (),
    LoginExpired,
    "login_code_refused",
    "VISMA does not accept this login any more: {text}",
    "A login must be finished within five minutes and works once. Start it again.",
)
"""For the exchange of a code that is old or used."""

LOGIN_UNFINISHED = Outcome(
    None,
    (),
    VendorUnavailable,
    "login_unfinished",
    "VISMA could not finish the login: {text}",
    "Start it again in a few minutes; a login is not finished by itself.",
)
"""For the exchange of a code that got no usable answer."""
