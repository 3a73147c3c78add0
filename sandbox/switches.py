"""Switches for behaviour that the vendors show now and then, or that their documentation leaves open."""

from typing import Literal

import msgspec

from sandbox.state import Documents, State


class Switches(msgspec.Struct, forbid_unknown_fields=True):
    """How the vendors behave at this moment.

    Attributes:
        https_required: OutSmart answers code 1006 to plain HTTP. Off, because nothing on loopback is HTTPS.
        hour_type_price_above_zero: OutSmart refuses hour types with a sale price of 0. Its API 8 description says
            "> 0" in a table and shows 0.00 in an example (https://github.com/CloudEcosystemDev/outsmart-component).
        int64_as_string: Exact Online writes 64-bit numbers such as Timestamp as text, as OData 2 does.
        licence_expired: Divisions whose Exact Online licence has ended.
        nightly_400: How many of the next token requests are answered with a 400 without a reason
            (https://github.com/picqer/exact-php-client/issues/497).
        shorter_pages: Most rows in one answer of Exact Online, to see with few rows what happens between two pages;
            0: as many as documented.
        visma_refresh: What VISMA's token endpoint does with a refresh token: `reuse` answers with the same one, as
            newly registered apps get it; `rotate` gives a new one and ends the old, as older apps get it; `omit`
            leaves it out of the answer and lets it live.
        visma_filters_refused: VISMA lists (`orders`) or properties (`orders/ModifiedUtc`) whose filter is refused with
            6000; which ones may be filtered is published nowhere.
        visma_retry_after: VISMA's 429 carries a `Retry-After` header, which no page documents.
    """

    https_required: bool = False
    hour_type_price_above_zero: bool = False
    int64_as_string: bool = False
    licence_expired: tuple[int, ...] = ()
    nightly_400: int = 0
    shorter_pages: int = 0
    visma_refresh: Literal["reuse", "rotate", "omit"] = "reuse"
    visma_filters_refused: tuple[str, ...] = ()
    visma_retry_after: bool = False


class SwitchBoard:
    """The switches of one sandbox, remembered."""

    def __init__(self, state: State) -> None:
        self._kept = Documents(state, "switches", Switches)

    @property
    def now(self) -> Switches:
        """How they stand."""
        return self._kept.get("now") or Switches()

    def set(self, changes: dict[str, object]) -> Switches:
        """Set some of them.

        Args:
            changes: New values by name.

        Returns:
            How all of them stand now.

        Raises:
            msgspec.ValidationError: A name is unknown or a value has the wrong type.
        """
        merged = msgspec.to_builtins(self.now) | changes
        self._kept.put("now", msgspec.convert(merged, Switches))
        return self.now
