"""OutSmart's own words for what the engine calls by its own names."""

from __future__ import annotations

from dataclasses import dataclass

from outsmart_sync.pipeline.outcomes import MirrorState
from outsmart_sync.store.connections import State
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
}

STEPS: dict[str, str] = {
    "extract": N_("Reading"),
    "filter": N_("Choosing"),
    "match_by_code": N_("Comparing"),
    "upsert": N_("Writing to OutSmart"),
}

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

LICENCES: dict[str, str] = {"none": N_("No licence"), "basic": N_("Basic"), "pro": N_("Pro")}


def word(words: dict[str, Word], name: str) -> Word:
    """The word for a name; one we do not know speaks for itself."""
    return words.get(name) or Word(name.replace("_", " ").capitalize())


PUT_TOGETHER = (N_("The settings were not saved: {0}"), N_("Nothing was saved: {0}"))
"""Beginnings of messages that services put together from sentences."""
