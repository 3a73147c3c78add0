"""What can become of a staged row, and why: the codes in staging, mirror and log, with the sentences people read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What becomes of a row; until one is set, the row is still in the running."""

    EXCLUDED = "excluded"
    REJECTED = "rejected"
    WAITING = "waiting"
    HELD = "held"
    DELETED = "deleted"
    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"


class MirrorState(StrEnum):
    """Where a record of the mirror stands."""

    SYNCED = "synced"
    EXCLUDED = "excluded"
    REJECTED = "rejected"
    WAITING = "waiting"
    HELD = "held"
    OUTSMART_ONLY = "outsmart"


class Link(StrEnum):
    """What a person decided about a record of the mirror and OutSmart's; '' in the mirror: nothing."""

    JOINED = "joined"
    """They are one, although nothing had linked them: OutSmart's own code is kept."""
    KEPT = "kept"
    """The link that there was stays, although the code was changed in the package."""
    APART = "apart"
    """They are two, as long as both have the same code."""
    ON_HOLD = "on_hold"
    """It does not go to OutSmart until somebody releases it."""
    DISMISSED = "dropped"
    """It need not go to OutSmart as long as it is what it was."""


BY_HAND = (Link.JOINED, Link.KEPT)
"""Links that beat the code."""

OPEN_STATES = (MirrorState.REJECTED, MirrorState.WAITING, MirrorState.HELD)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row got its outcome.

    Attributes:
        text: What is the case; ``{detail}`` is the row's own part.
        remedy: What to do; '' when nothing needs doing.
    """

    text: str
    remedy: str = ""


DUPLICATE = "duplicate_code"
"""Reason of a record that is held because another one has its code."""

TWO_FIRMS = "two_firms"
"""Reason of a record that is held because OutSmart's record with its code is clearly another firm's."""

KEPT_APART = "kept_apart"
"""Reason of a record of which a person said that OutSmart's record with its code is another one."""

HELD_BY_HAND = "held_by_hand"
"""Reason of a record that a person put on hold."""

MISSING_FIELD = "missing_field"
"""Reason of a record that lacks what OutSmart demands."""

UNNAMED = "reference_unnamed"
"""Reason of a record that names none of what OutSmart demands, nor does what it refers to."""

DISMISSED = "dismissed"
"""Reason of a record that a person dismissed."""

CANCELLED = "order_cancelled"
"""Event, and reason, of a document that was cancelled or deleted in the package once it was in the destination."""

REOPENED = "order_reopened"
"""Event of a document that is open again in the package."""

OUT_OF_USE, IN_USE_AGAIN = "out_of_use", "in_use_again"
"""Events of records that are blocked or out of their dates, or no longer, where OutSmart has no flag for that."""

TO_DO_BY_HAND = ("change_by_hand", CANCELLED, "document_started", "document_gone")
"""Reasons of lines of the sync log that tell a person to look after a work order."""

OTHER_DOCUMENT = "other_document"
"""Reason of a document that is held because OutSmart's one with its number is clearly another one."""

KEPT_FROM_THEIRS = (TWO_FIRMS, KEPT_APART, OTHER_DOCUMENT)
"""Reasons of records that are held because OutSmart's record with their code is another one."""

EDITED = "edited_in_outsmart"
"""Reason code of a record whose edits in OutSmart a full run writes over."""

REFUSED = "refused"
"""Reason of a record that OutSmart did not take."""

ENDED = "ended"
"""Event, and reason, of a record that was given a last day in OutSmart because the package no longer has it so."""

LEFT_BEHIND = "left"
"""Event, and reason, of a record that has another code now while OutSmart keeps the one under the old code."""

REFERENCE_LEFT_OUT = "reference_left_out"
"""Reason of a record that refers to one which the filters leave out."""

STANDS_FOR = "made_from_quotation"
"""Reason of an order whose work is that of another document, which has its work order."""

UNSURE = "unsure"
"""Reason of a document of which is not known whether it was made."""

ON_ITS_WAY = "on_its_way"
"""Reason of a record that has a place in the mirror and has not been sent yet."""

INVOICE_MISSING = "invoice_missing"
"""Reason of a payment whose invoice OutSmart does not have."""

REASONS: dict[str, Reason] = {
    "type_not_chosen": Reason(
        "Its type is not among the chosen ones.", "Choose the type in the settings to import it."
    ),
    "group_not_chosen": Reason(
        "Its item group is not among the chosen ones.", "Choose the group in the settings to import it."
    ),
    "classification_not_chosen": Reason(
        "Its classifications are not among the chosen ones.", "Choose one of them in the settings to import it."
    ),
    "status_not_chosen": Reason(
        "Its status is not among the chosen ones.", "Choose the status in the settings to import it."
    ),
    "label_not_chosen": Reason(
        "None of its labels is among the chosen ones.", "Choose one of its labels in the settings to import it."
    ),
    "hours": Reason(
        "Its unit counts as hours now, so it is an hour type.",
        "It stays among the materials in OutSmart; remove it there if it is not used.",
    ),
    "not_hours": Reason(
        "Its unit does not count as hours any more, so it is a material.",
        "It is inactive among the hour types in OutSmart, where that follows the package.",
    ),
    "not_one_hour": Reason(
        "Its unit was chosen as hours, and is not called an hour: nobody knows what it costs for one.",
        "Use a unit that is called an hour in the bookkeeping package, take its unit out of those that are hours, or "
        "let such a unit count as one hour in the settings.",
    ),
    "before_start": Reason(
        "It is dated before the first day that is imported.",
        "Choose an earlier start date in the settings to import it.",
    ),
    "not_chosen": Reason("The filter leaves it out.", "Change the filter in the settings to import it."),
    "blocked": Reason(
        "It is blocked, inactive or finished in the bookkeeping package.",
        "Change that there, or switch on the import of such records where the category offers it.",
    ),
    "inactive": Reason(
        "It has ended, or has not begun yet, in the bookkeeping package.",
        "Change its dates there, or switch on the import of inactive ones where the category offers it.",
    ),
    OUT_OF_USE: Reason(
        "It is blocked, has ended, or has not begun yet in the bookkeeping package. OutSmart has no mark for that.",
        "It stays in OutSmart as it is; remove it there if it is not used.",
    ),
    IN_USE_AGAIN: Reason("It is in use again in the bookkeeping package."),
    "not_labour": Reason(
        "It is no longer a labour item.", "It stays in OutSmart as it is; remove it there if it is not used."
    ),
    "not_for_sale": Reason(
        "It is no longer a sales item, or has become a labour item.",
        "It stays in OutSmart as it is; remove it there if it is not used.",
    ),
    "not_delivery_address": Reason("It is no longer a delivery address.", "It stays in OutSmart as it is."),
    "no_relation": Reason("It no longer belongs to a relation.", "It stays in OutSmart as it is."),
    "taken_apart": Reason("It is no longer an order to assemble, but to take apart.", "It stays in OutSmart as it is."),
    "price_agreement": Reason("The price is agreed with one customer."),
    "no_agreement": Reason("It is no longer a price for one customer."),
    "no_measure_of_work": Reason(
        "It is kept in weeks, months or years, which are no measure of work.",
        "Keep it in hours, minutes or days in the bookkeeping package.",
    ),
    "larger_quantity": Reason(
        "There is a price for a smaller quantity; OutSmart has one price, whatever the quantity.",
        "It comes by itself when that price goes.",
    ),
    "other_unit": Reason("It is a price for another unit than the article's own."),
    "other_currency": Reason("It is in another currency than the administration's."),
    "parent_excluded": Reason("Its relation {detail} is not imported.", "It comes along when the relation is."),
    "parent_open": Reason(
        "It waits for relation {detail}, which has not reached OutSmart.",
        "It goes by itself once the relation is there.",
    ),
    "parent_missing": Reason(
        "It waits for its relation, which has not been read yet.", "It goes by itself once the relation is there."
    ),
    "reference_open": Reason(
        "It waits for {detail}, which has not reached OutSmart.", "It goes by itself once that is there."
    ),
    "reference_missing": Reason(
        "It waits for its {detail}, which has not been read yet.",
        "It goes by itself once that is there; see to it that its category is switched on.",
    ),
    UNNAMED: Reason(
        "It has no {detail} in the bookkeeping package, and OutSmart demands one.",
        "Fill it in there, or choose one for work of your own in the settings where the category offers it.",
    ),
    REFERENCE_LEFT_OUT: Reason(
        "It belongs to {detail}, which is not imported.", "It comes along when that is imported."
    ),
    STANDS_FOR: Reason("It was made from quotation {detail}, whose work order it would be a second one of."),
    "already_ordered": Reason("The sales order that was made from it has its work order already: {detail}."),
    "no_reference": Reason(
        "It has no reference of the customer's ('Your ref.'), by which the sales order made from it would be known: no "
        "work order is made of it, and the sales order comes as usual.",
        "Fill in the reference of the quotation in the bookkeeping package to have its work order made from it.",
    ),
    "revised": Reason(
        "The work order {detail} was made from another version of this quotation; no second one is made.",
        "Change that work order by hand in OutSmart where the versions differ.",
    ),
    "version_closed": Reason(
        "This version of the quotation is closed, as another one took its place, or is still being worked on.",
        "Its work order, if there is one, stays as it is.",
    ),
    "switched_off": Reason("Accepted quotations do not become work orders: that is switched off."),
    "delivered": Reason("Goods of its order were {detail}."),
    "withdrawn": Reason("This no longer holds: goods of its order were {detail}."),
    ENDED: Reason("What OutSmart has under {detail} has ended; it goes on under its new code."),
    LEFT_BEHIND: Reason(
        "OutSmart still has {detail} as well: it can add such a record, not remove it.",
        "Remove the old one in OutSmart by hand if it is in the way.",
    ),
    "not_in_group": Reason(
        "It is no longer a sales item with an item group.", "Its category in OutSmart stays; remove it there by hand."
    ),
    "own_export": Reason("It was made by our own export of a work order."),
    UNSURE: Reason(
        "It was sent to OutSmart and no clear answer came ({detail}).",
        "It is looked for in the next runs, and sent again only when two of them have not found it.",
    ),
    ON_ITS_WAY: Reason("It was about to be sent to OutSmart.", "It goes on by itself in the next run."),
    "nothing_paid": Reason("Nothing has been paid yet."),
    "not_receivable": Reason("It is not, or no longer, a term of a sales invoice."),
    INVOICE_MISSING: Reason(
        "It waits for invoice {detail}, which OutSmart does not have.",
        "It goes by itself once the invoice is there; an invoice that was not made in OutSmart needs nothing.",
    ),
    "invoice_differs": Reason(
        "OutSmart's invoice with its number is another one: {detail}.",
        "Correct the debtor number or the amount where it is wrong; the payment goes by itself then.",
    ),
    "several_invoices": Reason(
        "OutSmart has several invoices like it: {detail}.", "Remove all but one of them in OutSmart."
    ),
    "registered": Reason("It was registered in OutSmart: {detail}."),
    "reversed": Reason("What was registered in OutSmart was undone by a counter-entry: {detail}."),
    "several_documents": Reason(
        "OutSmart has several with the number {detail}.",
        "Remove all but one of them in OutSmart, and sync the category in full.",
    ),
    "document_started": Reason(
        "It was changed in the bookkeeping package after the work order had been fetched or completed: {detail}.",
        "Change it by hand in OutSmart, where it still matters.",
    ),
    "document_gone": Reason(
        "The work order was removed in OutSmart; it is not made again.",
        "Make a new document in the bookkeeping package if the work is still to be done.",
    ),
    "change_by_hand": Reason(
        "It was changed in the bookkeeping package in what OutSmart cannot change of a work order: {detail}.",
        "Change it by hand in OutSmart.",
    ),
    REOPENED: Reason(
        "It is open again in the bookkeeping package.",
        "See to its work status in OutSmart, where that was not put back.",
    ),
    CANCELLED: Reason(
        "It was cancelled in the bookkeeping package; {detail}.", "Tell the technician if the work has begun."
    ),
    MISSING_FIELD: Reason("OutSmart needs: {detail}.", "Fill it in in the bookkeeping package."),
    "unreadable": Reason(
        "The bookkeeping package sent a value that cannot be read: {detail}.",
        "Correct it in the bookkeeping package; it is judged again when it changes.",
    ),
    "too_long": Reason("Longer than OutSmart takes: {detail}.", "Shorten it in the bookkeeping package."),
    DUPLICATE: Reason(
        "Several records have this code, apart from case and blanks: {detail}.",
        "Give each its own code in the bookkeeping package.",
    ),
    "duplicate_in_outsmart": Reason(
        "OutSmart has several records with this code, apart from case and blanks: {detail}.",
        "Remove all but one of them in OutSmart.",
    ),
    "code_changed": Reason(
        "Its code was changed; OutSmart still knows it as {detail}.",
        "Set the code back in the bookkeeping package, or link both (outsmart-sync link): OutSmart cannot rename.",
    ),
    TWO_FIRMS: Reason(
        "OutSmart's record with this code is clearly another firm's: {detail}.",
        "Say whether they are one (outsmart-sync link) or two (outsmart-sync unlink, or another code for one of them).",
    ),
    KEPT_APART: Reason(
        "A person said that it and OutSmart's record with this code are two: {detail}.",
        "It goes once one of them has another code; if they are one after all: outsmart-sync link.",
    ),
    HELD_BY_HAND: Reason("A person put it on hold.", "It goes once somebody releases it."),
    DISMISSED: Reason("A person dismissed it.", "It is looked at again when it changes in the bookkeeping package."),
    OTHER_DOCUMENT: Reason(
        "OutSmart has a work order with this number that is another one: {detail}.",
        "Remove that one in OutSmart, or make the order under another number; both go by themselves then. If they are "
        "one after all: outsmart-sync link.",
    ),
    "by_hand": Reason("A person said so. {detail}."),
    EDITED: Reason("It was edited in OutSmart since it was last brought there: {detail}."),
    "code_missing": Reason("It has no code.", "Give it a code in the bookkeeping package."),
    REFUSED: Reason("{detail}.", "Correct it in the bookkeeping package; it is sent again when it changes."),
    "deleted_at_source": Reason(
        "It was deleted in the bookkeeping package.", "It stays in OutSmart; remove it there if it is not used."
    ),
}


def explain(reason: str | None, detail: str | None) -> tuple[str, str]:
    """What a reason code says to a person, and what to do about it."""
    known = REASONS.get(reason or "")
    if known is None:
        return reason or detail or "", ""
    return known.text.replace("{detail}", detail or "?"), known.remedy
