"""What one of VISMA's companies is made from."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from sandbox.fixed_world import VismaCompany
from sandbox.seeds.articles import Words
from sandbox.seeds.pools import Pool
from sandbox.visma_eaccounting.moments import write_moment
from sandbox.visma_eaccounting.resources import RESOURCES, ROW_TYPES, Row
from sandbox.visma_eaccounting.rows import RowStore

LABEL_TRAITS = ("first_label", "second_label")
"""The traits of rows that carry the first and the second label."""

_HISTORY_DAYS = 900
_OFFICE_OPENS, _OFFICE_CLOSES = 8 * 3600, 18 * 3600


@dataclass
class VismaBooks:
    """One company while its rows are being made.

    Attributes:
        company: The company.
        store: Where rows go.
        chance: Where randomness comes from.
        today: The day the world is made; nothing has happened later than the day before.
        words: The words of its language.
        pool: Names of its country.
        relations: How many customers it gets.
        items: How many articles it gets.
        seed: What pools follow from.
    """

    company: VismaCompany
    store: RowStore
    chance: Random
    today: date
    words: Words
    pool: Pool
    relations: int
    items: int
    seed: int
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def make(self, resource: str, days_ago: int | None = None, **values: Any) -> Row:
        """A new row with an id and stamps, kept in `rows` until `flush`."""
        known = RESOURCES[resource].fields
        created = days_ago or self.chance.randint(2, _HISTORY_DAYS)
        changed = created if days_ago or self.chance.random() < 0.5 else self.chance.randint(1, created)
        own = {"Id": self.guid(), "CreatedUtc": self.moment(created)}
        own[str(RESOURCES[resource].changed)] = self.moment(changed)
        made: Row = ROW_TYPES[resource](**({name: one for name, one in own.items() if name in known} | values))
        self.rows.setdefault(resource, []).append(made)
        return made

    def flush(self) -> None:
        """Store the rows made so far."""
        for resource, rows in self.rows.items():
            self.store.save(self.company.code, resource, rows)
        self.rows.clear()

    def all(self, resource: str) -> list[Row]:
        """The stored rows of a resource, in the order in which they were made."""
        return list(self.store.table(self.company.code, resource).by_key.values())

    def guid(self) -> str:
        """A GUID."""
        text = f"{self.chance.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"

    def day(self, offset: int) -> str:
        """The day so many days from today."""
        return (self.today + timedelta(days=offset)).isoformat()

    def moment(self, days_ago: int) -> str:
        """A moment in office hours, so many days ago."""
        start = datetime.combine(self.today - timedelta(days=days_ago), time(), UTC)
        return write_moment(start + timedelta(seconds=self.chance.randint(_OFFICE_OPENS, _OFFICE_CLOSES)))
