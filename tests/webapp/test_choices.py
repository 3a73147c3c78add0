"""Filters on the page: what is saved is told by its name as soon as the filter is opened, not by the package's id."""

from __future__ import annotations

import re

from outsmart_sync.services import choices, settings
from outsmart_sync.store import connections
from support import Rig
from webapp.conftest import Browser


def test_a_saved_choice_is_looked_up_when_its_settings_are_opened(page: Browser, exact: Rig) -> None:
    (firm,) = connections.find(exact.store)
    offered = choices.choices(exact.gateway, firm, "relations", "classifications")
    value, label = next((value, label) for value, label in offered if value != label)
    place = f"connections/{firm.id}"
    unasked = rf'<div hx-get="[^"]*{place}/choices/relations/classifications"[^>]*"toggle once from:closest details"'
    assert not re.search(unasked, page.get(place).text)
    settings.save(exact.store, firm, {"relations": {"enabled": True, "classifications": [value]}})
    shown = page.get(place).text
    assert re.search(unasked, shown)
    assert label not in shown
    asked = {"relations.classifications": value, "typed": "1", "unasked": "1"}
    part = page.get(f"{place}/choices/relations/classifications", params=asked).text
    assert re.search(rf'value="{value}" checked> <span>{re.escape(label)}', part)
    assert "autofocus" not in part
    pressed = page.get(f"{place}/choices/relations/classifications", params={"typed": "1"}).text
    assert "autofocus" in pressed
