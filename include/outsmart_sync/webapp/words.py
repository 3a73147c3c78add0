"""OutSmart's own words for what the engine calls by its own names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from outsmart_sync.pipeline.outcomes import MirrorState
from outsmart_sync.services import export_list
from outsmart_sync.store.connections import State
from outsmart_sync.store.exports import ExportState
from outsmart_sync.store.runs import RunState


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for "to be translated later"
    """Mark a text for the catalogues; it is translated where it is shown."""
    return text


@dataclass(frozen=True, slots=True)
class Word:
    """A word and how it looks.

    Attributes:
        text: The word.
        tone: ``good``, ``warn``, ``bad`` or ``quiet``.
    """

    text: str
    tone: str = "quiet"


CONNECTION_STATES: dict[str, Word] = {
    State.CONNECTED: Word(N_("Choose the administration"), "warn"),
    State.ACTIVE: Word(N_("Connected"), "good"),
    State.EXPIRED: Word(N_("Login expired"), "bad"),
    State.DISCONNECTED: Word(N_("Disconnected"), "quiet"),
}

RUN_STATES: dict[str, Word] = {
    RunState.RUNNING: Word(N_("Running"), "warn"),
    RunState.DONE: Word(N_("Done"), "good"),
    RunState.FAILED: Word(N_("Failed"), "bad"),
    RunState.POSTPONED: Word(N_("Postponed"), "warn"),
    RunState.PREVIEWED: Word(N_("Looked only"), "quiet"),
    RunState.IDLE: Word(N_("Nothing new"), "quiet"),
    "queued": Word(N_("Waiting for its turn"), "warn"),
}

RECORD_STATES: dict[str, Word] = {
    MirrorState.SYNCED: Word(N_("In OutSmart"), "good"),
    MirrorState.EXCLUDED: Word(N_("Left out"), "quiet"),
    MirrorState.REJECTED: Word(N_("Rejected"), "bad"),
    MirrorState.WAITING: Word(N_("Waiting"), "warn"),
    MirrorState.HELD: Word(N_("On hold"), "warn"),
    MirrorState.OUTSMART_ONLY: Word(N_("Only in OutSmart"), "quiet"),
}

EVENTS: dict[str, Word] = {
    "created": Word(N_("Created"), "good"),
    "updated": Word(N_("Updated"), "good"),
    "excluded": Word(N_("Left out"), "quiet"),
    "rejected": Word(N_("Rejected"), "bad"),
    "waiting": Word(N_("Waiting"), "warn"),
    "held": Word(N_("On hold"), "warn"),
    "deleted": Word(N_("Deleted in the package"), "quiet"),
    "deactivated": Word(N_("Made inactive"), "quiet"),
    "ended": Word(N_("Ended"), "quiet"),
    "out_of_use": Word(N_("Out of use in the package"), "quiet"),
    "in_use_again": Word(N_("In use again"), "quiet"),
    "left": Word(N_("Old one stays"), "quiet"),
    "edited": Word(N_("Edited in OutSmart"), "warn"),
    "linked": Word(N_("Linked by hand"), "quiet"),
    "unlinked": Word(N_("Parted by hand"), "quiet"),
    "delivered": Word(N_("Goods delivered"), "quiet"),
    "withdrawn": Word(N_("Withdrawn"), "quiet"),
    "change_by_hand": Word(N_("Change by hand"), "warn"),
    "order_cancelled": Word(N_("Cancelled"), "warn"),
    "dismissed": Word(N_("Dismissed by hand"), "quiet"),
    "put_on_hold": Word(N_("Put on hold by hand"), "quiet"),
    "released": Word(N_("Released by hand"), "quiet"),
    "order_reopened": Word(N_("Open again"), "warn"),
    "exported": Word(N_("Exported"), "good"),
    "failed": Word(N_("Failed"), "bad"),
    "uncertain": Word(N_("Not sure"), "bad"),
    "differs": Word(N_("Another total"), "bad"),
    "changed": Word(N_("Changed since"), "warn"),
    "older": Word(N_("Before the start"), "quiet"),
    "decided": Word(N_("Decided by hand"), "quiet"),
    "sending": Word(N_("Being sent"), "warn"),
    "done": Word(N_("Done"), "good"),
}

EXPORT_STATES: dict[str, Word] = {
    ExportState.WAITING: Word(N_("Waiting"), "warn"),
    ExportState.SENDING: Word(N_("Being sent"), "warn"),
    ExportState.UNCERTAIN: Word(N_("Not sure"), "bad"),
    ExportState.DIFFERS: Word(N_("Another total"), "bad"),
    ExportState.FAILED: Word(N_("Failed"), "bad"),
    ExportState.CHANGED: Word(N_("Changed since"), "warn"),
    ExportState.HELD: Word(N_("On hold"), "warn"),
    ExportState.OLDER: Word(N_("Before the start"), "quiet"),
    ExportState.DONE: Word(N_("Done"), "good"),
}

STATE_MEANINGS: dict[str, str] = {
    ExportState.WAITING: N_("It goes with the next export."),
    ExportState.SENDING: N_("It is on its way. Steps behind the document may be missing; the next export ends them."),
    ExportState.UNCERTAIN: N_(
        "It was sent and no clear answer came. The next exports look for it; if you know better, say so below."
    ),
    ExportState.DIFFERS: N_("The document is there, and its total there is another one than that of the work order."),
    ExportState.FAILED: N_("It was refused, or something is missing."),
    ExportState.CHANGED: N_("The document is there, and the work order was changed since."),
    ExportState.HELD: N_("It is not sent until somebody releases it."),
    ExportState.OLDER: N_("It was completed before exports began, so that it is taken for billed."),
    ExportState.DONE: N_("The document is there, and OutSmart was told."),
}

ACTIONS: dict[str, str] = {
    "release": N_("Release and send"),
    "resend": N_("Send again"),
    "resend_update": N_("Bring the document up to date"),
    "resend_second": N_("Make a second document"),
    "settle_there": N_("It is there, with this number"),
    "settle_not_there": N_("It is not there: send again"),
    "settle_accept": N_("The document is right as it is"),
    "hold": N_("Put on hold"),
}

ASKED_FIRST: dict[str, str] = {
    "resend_second": N_(
        "The work order is billed a second time, beside the document that is there. Only do this on purpose."
    ),
    "settle_not_there": N_("If the document is there after all, the customer is billed twice. Look it up there first."),
    "resend_update": N_("What was changed by hand in the document is written over."),
}
"""Actions that bill or write over something: said before they are done."""

FOR_MANY = ("release", "resend", "hold", "settle_accept")
"""Actions that make sense for several work orders at once."""

LINE_KINDS: dict[str, str] = {
    "material": N_("Material"),
    "hours": N_("Hours"),
    "travel": N_("Travel"),
    "text": N_("Text"),
}

RULES: dict[str, str] = {
    "export": N_("export"),
    "hold": N_("hold until somebody decides"),
    "free": N_("without charge"),
}
CODED_RULES: dict[str, str] = {"journal": N_("into the journal"), "condition": N_("with the payment condition")}

SETTING_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (N_("What is exported, and when"), ("document", "trigger_status", "cut_off", "payment_methods", "types_of_work")),
    (
        N_("What stands on the document"),
        ("hours", "hour_rounding", "hours_per_day", "travel_material", "description_line", "pdf", "photos"),
    ),
    (
        N_("Customers and articles that the package does not have"),
        (
            *("create_relations", "customer_status", "customer_payment_condition", "customer_terms", "private_person"),
            *("create_materials", "item_group", "unit", "vat_code", "article_coding", "article_unit"),
            "fallback_material",
        ),
    ),
    (N_("In OutSmart afterwards"), ("success_status", "failure_status", "invoiced_status", "paid_status")),
)
"""Where the settings of exports stand on the page; those that are named nowhere stand in a group of their own."""

STEPS: dict[str, str] = {
    "extract": N_("Reading"),
    "filter": N_("Choosing"),
    "match_by_code": N_("Comparing"),
    "upsert": N_("Writing to OutSmart"),
}
_OWN_STEPS: dict[tuple[str, str], str] = {("work_orders", "upsert"): N_("Sending to {package}")}
"""Category and step: what another word is used for there."""


def step(category: str, name: str) -> str:
    """What a run does in a step of a category; a place in it is for the package's name."""
    return _OWN_STEPS.get((category, name)) or STEPS.get(name, name)


OUTCOMES: dict[str, Word] = {
    "create": Word(N_("New in OutSmart"), "good"),
    "update": Word(N_("Same code, will be updated"), "good"),
    "unchanged": Word(N_("Same already"), "quiet"),
    "held": Word(N_("Needs a decision"), "warn"),
    "alike": Word(N_("Likely the same, under another code"), "warn"),
    "rejected": Word(N_("Rejected"), "bad"),
    "waiting": Word(N_("Waits for another record"), "warn"),
    "excluded": Word(N_("Left out by your choices"), "quiet"),
    "deleted": Word(N_("Deleted in the package"), "quiet"),
}

COUNTS: dict[str, str] = {
    "read": N_("read"),
    "created": N_("created"),
    "updated": N_("updated"),
    "unchanged": N_("unchanged"),
    "excluded": N_("left out"),
    "rejected": N_("rejected"),
    "waiting": N_("waiting"),
    "held": N_("on hold"),
    "deleted": N_("deleted in the package"),
    "edited": N_("edited in OutSmart"),
}

COUNTS_OF_A_LOOK: dict[str, str] = COUNTS | {"created": N_("would be created"), "updated": N_("would be updated")}

OLDEST_FIRST = ("", *export_list.OPEN)
"""What may be asked of the list of work orders so that the one that waits longest comes first."""

LOG_COLUMNS = (
    *(N_("When"), N_("Administration"), N_("Run"), N_("Category"), N_("What"), N_("Code"), N_("What was done")),
    *(N_("Cause"), N_("What to do"), N_("Changes")),
)
"""Headings of the log as a file."""

LICENCES: dict[str, str] = {
    "none": N_("No licence"),
    "basic": N_("Basic"),
    "pro": N_("Pro"),
    "active": N_("Licence ordered"),
}


def grouped(settings: Sequence[Any]) -> list[tuple[str, list[Any]]]:
    """Settings in the groups in which they stand on the page; those of the package itself come last."""
    known = {each.name: each for each in settings}
    groups = [(title, [known.pop(name) for name in names if name in known]) for title, names in SETTING_GROUPS]
    return [(title, found) for title, found in [*groups, (N_("Of this package"), list(known.values()))] if found]


def counted(state: str) -> dict[str, str]:
    """What the figures of a run are called: a look did nothing yet."""
    return COUNTS_OF_A_LOOK if state == RunState.PREVIEWED else COUNTS


def word(words: dict[str, Word], name: str) -> Word:
    """The word for a name; one we do not know speaks for itself."""
    return words.get(name) or Word(name.replace("_", " ").capitalize())


PUT_TOGETHER = (
    *(N_("The settings were not saved: {0}"), N_("Nothing was saved: {0}"), N_("{0}: it is disconnected.")),
    *(N_("{0}: it is connected."), N_("{0}: its automatic sync is off."), N_("{0}: every category is switched off.")),
    N_("{0}: {1} is switched off."),
)
"""Beginnings of messages that services put together from sentences."""

NAMED = (
    *(N_("customer '{0}'"), N_("material '{0}'"), N_("fallback material '{0}'"), N_("hour type '{0}'")),
    *(N_("project '{0}'"), N_("payment method '{0}'"), N_("type of work '{0}'")),
)
"""What sentences about work orders name."""
