"""What can be asked about single work orders in the trigger form of an export DAG, as it is read there."""

from __future__ import annotations

EXPORT, LIST, SHOW = "export", "list", "show"
"""Plain exporting; the one question that needs no work order; and the one that decides nothing."""

ACTIONS = {
    LIST: "List the work orders that changed last",
    SHOW: "Show where they stand",
    "hold": "Do not send them",
    "release": "Release and send them",
    "resend": "Send them again",
    "resend_update": "Bring their documents up to date",
    "resend_second": "Make a second document of each",
    "settle_there": "Uncertain: it is there, its number is below",
    "settle_not_there": "Uncertain: it is not there, send again",
    "settle_accept": "Differs: the document is right as it is",
}
"""Name → what it does."""

QUIET = (LIST, SHOW, "hold")
"""After these nothing is sent; after the others the same work orders are exported."""
