"""What OutSmart's answers mean, as data.

OutSmart answers with HTTP 200 and an envelope whose ``code`` tells; success is only 200. Codes:
https://github.com/CloudEcosystemDev/outsmart-component and https://knowledge.out-smart.com/openapi .
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from outsmart_sync.errors import (
    AccessDenied,
    NotConfigured,
    RecordError,
    RequestRefused,
    UncertainOutcome,
    VendorUnavailable,
)
from outsmart_sync.providers.outcomes import Outcome, Reaction

_DEFECT = "This is a defect in OutSmart Sync or a change at OutSmart: send the task's log to whoever maintains it."
_BY_ITSELF = "The sync is tried again by itself."

OK = 200
"""The only envelope code that means success."""

NOTHING_CHANGED = 1503
"""What a change answers when everything is as it should be already."""

GONE = "outsmart_work_order_gone"
"""Code of the error for a work order that OutSmart does not have."""

_ALWAYS = (
    Outcome(
        1002,
        (),
        NotConfigured,
        "outsmart_token_missing",
        "OutSmart was called without the account's token.",
        "Fill in the password of the OutSmart connection.",
    ),
    Outcome(
        1003,
        (),
        NotConfigured,
        "outsmart_software_token_missing",
        "OutSmart was called without the software token.",
        "Fill in the extra software_token of the OutSmart connection.",
    ),
    Outcome(
        1004,
        (),
        AccessDenied,
        "outsmart_token_refused",
        "OutSmart refuses the account's token.",
        "Ask OutSmart for the token of this account and put it into the password of the OutSmart connection.",
    ),
    Outcome(
        1005,
        (),
        AccessDenied,
        "outsmart_software_token_refused",
        "OutSmart refuses the software token, or it does not belong to this account's token.",
        "Check that both tokens of the OutSmart connection are of the same licence.",
    ),
    Outcome(
        1006,
        (),
        NotConfigured,
        "outsmart_https",
        "OutSmart is only reachable over https.",
        "Correct the address of the OutSmart connection.",
    ),
    Outcome(
        1007,
        (),
        VendorUnavailable,
        "outsmart_fault",
        "OutSmart has a fault of its own: {text}",
        _BY_ITSELF,
        Reaction.REPEAT,
    ),
    *(
        Outcome(
            code, (), RequestRefused, "outsmart_request", "OutSmart does not understand the request: {text}", _DEFECT
        )
        for code in (1000, 1001, 1008, 1009)
    ),
)
_UNKNOWN = Outcome(
    None,
    (),
    VendorUnavailable,
    "outsmart_unknown_code",
    "OutSmart answers with a code that is not documented: {text}",
    _BY_ITSELF,
    Reaction.REPEAT,
)

_GONE = Outcome(
    1500,
    (),
    RecordError,
    GONE,
    "OutSmart does not have this work order, or no longer.",
    "Look in OutSmart whether somebody removed it.",
)

READ_OUTCOMES = (*_ALWAYS, _GONE, _UNKNOWN)
"""By the envelope's code, for lists that are read."""

WRITE_OUTCOMES = (
    *_ALWAYS,
    # Documented are 1100 to 2801, and 1051 in an example: a record was refused, and with it the whole list.
    *(
        Outcome(
            codes,
            (),
            RecordError,
            "refused_by_outsmart",
            "OutSmart refuses the record: {text}",
            "Correct the record in the bookkeeping package; it is sent again when it changes.",
        )
        for codes in (1051, range(1100, 10_000))
    ),
    _UNKNOWN,
)
"""By the envelope's code, for lists that are written."""

HTTP_OUTCOMES = (
    *(
        Outcome(
            status,
            (),
            AccessDenied,
            "outsmart_token_refused",
            "OutSmart refuses the login.",
            "Check the tokens of the OutSmart connection.",
        )
        for status in (401, 403)
    ),
    Outcome(
        None,
        (),
        VendorUnavailable,
        "outsmart_unavailable",
        "OutSmart is not available at the moment.",
        _BY_ITSELF,
        Reaction.REPEAT,
    ),
)

FILE_OUTCOMES = (
    *(
        Outcome(
            status,
            (),
            RecordError,
            "file_gone",
            "Nothing is at its link in OutSmart any more: it was removed, or the link has run out",
            "Open the work order in OutSmart, so that it is made again.",
        )
        for status in (400, 401, 403, 404, 410)
    ),
    HTTP_OUTCOMES[-1],
)
"""By the HTTP status, for files: a link carries no login, so that nothing but the file is wrong."""

UNREADABLE = Outcome(
    None,
    (),
    VendorUnavailable,
    "outsmart_unreadable",
    "OutSmart's answer was cut off or is no data.",
    _BY_ITSELF,
    Reaction.REPEAT,
)
UNREACHABLE = Outcome(
    None,
    (),
    VendorUnavailable,
    "outsmart_unreachable",
    "OutSmart cannot be reached.",
    "The sync is tried again by itself; if this stays, check the network of the machine that runs Airflow.",
    Reaction.REPEAT,
)
_NOT_SENT = Outcome(
    None,
    (),
    VendorUnavailable,
    "outsmart_unreachable",
    "OutSmart cannot be reached, so nothing was sent.",
    "The sync is tried again by itself; if this stays, check the network of the machine that runs Airflow.",
)
_UNCERTAIN = Outcome(
    None,
    (),
    UncertainOutcome,
    "outsmart_uncertain",
    "OutSmart gave no clear answer, so it is not known whether the record was stored.",
    "It is looked up by its number before anything is sent again.",
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the answers to one kind of call mean.

    Attributes:
        codes: By the envelope's code.
        http: By the HTTP status, where it is not 200.
        unreadable: The answer is no envelope, or not whole.
        unanswered: The call was sent, or may have been, and no answer came.
        unsent: No connection came about.
        fine: Envelope codes that mean success.
    """

    codes: tuple[Outcome, ...]
    http: tuple[Outcome, ...] = HTTP_OUTCOMES
    unreadable: Outcome = UNREADABLE
    unanswered: Outcome = UNREACHABLE
    unsent: Outcome = UNREACHABLE
    fine: frozenset[int] = frozenset({OK})


READING = Meaning(READ_OUTCOMES)
WRITING = Meaning(WRITE_OUTCOMES)
CHANGING = Meaning((_GONE, *WRITE_OUTCOMES), fine=frozenset({OK, NOTHING_CHANGED}))
CREATING = Meaning(
    # A fault of OutSmart's own may have come after it had stored the record; the other codes come before.
    (replace(_UNCERTAIN, status=1007), *WRITE_OUTCOMES[:-1], _UNCERTAIN),
    (*HTTP_OUTCOMES[:-1], _UNCERTAIN),
    unreadable=_UNCERTAIN,
    unanswered=_UNCERTAIN,
    unsent=_NOT_SENT,
)
"""Of a record that has no code to be written by again: whatever is not clear is uncertain, and nothing is repeated."""
