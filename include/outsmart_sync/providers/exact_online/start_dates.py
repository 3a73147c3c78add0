"""Start dates at Exact: where a day lies in a stream, and how many documents come after it."""

from __future__ import annotations

import logging
from datetime import date
from typing import TYPE_CHECKING

from outsmart_sync.errors import RequestRefused, VendorUnavailable
from outsmart_sync.providers.exact_online.values import moment, quoted

if TYPE_CHECKING:
    from outsmart_sync.providers.exact_online.client import ExactOnlineClient
    from outsmart_sync.providers.exact_online.stream import ExactStream

log = logging.getLogger(__name__)

SYNC_TIMESTAMP = "read/sync/Sync/SyncTimestamp"
POSITION = "TimeStampAsBigInt"

_AGES_AGO = date(1900, 1, 1)
_UNKNOWN_ENDPOINT = ("bad_request", "not_found")


def position_of(client: ExactOnlineClient, path: str, day: date) -> int | None:
    """The row version behind which lies everything that was changed on a day or later.

    https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=ReadSyncSyncSyncTimestamp and
    https://github.com/picqer/exact-php-client/issues/689 . Endpoints go by the last part of their path there. Which of
    them it knows is not documented, so a refusal is no failure: the stream can still be read from its beginning.

    Returns:
        The version; None: Exact does not know it for this stream.
    """
    endpoint = path.rsplit("/", 1)[-1]
    address = client.function(SYNC_TIMESTAMP, modified=moment(day), endPoint=quoted(endpoint))
    try:
        rows = client.get(address).rows
    except RequestRefused as error:
        if error.code not in _UNKNOWN_ENDPOINT:
            raise
        log.warning("Exact Online knows no position for %s: it is read from its beginning (%s)", endpoint, error)
        return None
    value = rows[0].get(POSITION) if rows else None
    # "To start from" may be the first row of that day or the last before it; this one row more is right for both.
    return None if value is None else int(value) - 1


def count_documents(client: ExactOnlineClient, stream: ExactStream, since: date | None) -> int:
    """How many documents of a dated stream there are, or bear a date not before a day; one call that fetches none.

    Raises:
        VendorUnavailable: The answer holds no number.
    """
    column = stream.dated or ""
    filters = f"{column} ge {moment(since or _AGES_AGO)}"  # some endpoints refuse to answer without any filter
    page = client.get(client.address(stream.single, select=(column,), filters=filters, top=0, counted=True))
    if page.total is None:
        raise VendorUnavailable(
            "Exact Online does not say how many documents there are.",
            remedy="Try again later.",
            technical=f"{stream.single}: no __count",
        )
    return page.total
