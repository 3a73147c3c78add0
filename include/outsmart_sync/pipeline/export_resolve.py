"""From OutSmart's codes to the package's ids: from the mirror, from what was looked up before, and only then by asking.

A link that a person made beats the code, since the mirror holds OutSmart's code of a record, not the package's. What is
found by asking is kept for a day, and that something was not there for half an hour.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select

from outsmart_sync.pipeline.outcomes import MirrorState
from outsmart_sync.records.export_document import Entity, Known
from outsmart_sync.records.hour_type import is_told, sale_price
from outsmart_sync.records.values import Payload, code_key, decode, parse_decimal
from outsmart_sync.store import ledger, looked_up
from outsmart_sync.store.tables import mirror

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from outsmart_sync.pipeline.export_job import ExportJob
    from outsmart_sync.pipeline.export_ports import Exporter
    from outsmart_sync.records.completed_work_order import CompletedWorkOrder
    from outsmart_sync.store.store import Store

HOUR_PRICE = "hour_price"
"""Entity under which prices of hour types are kept that the mirror does not have."""

_CHUNK = 500
_known = msgspec.json.Decoder(Known)

Codes = dict[Entity, dict[str, str]]
"""Entity → code as it is compared → code as OutSmart writes it."""


def codes_of(job: ExportJob, work_orders: Iterable[CompletedWorkOrder]) -> Codes:
    """Everything that work orders name by a code."""
    found: Codes = defaultdict(dict)

    def add(entity: Entity, *codes: str) -> None:
        found[entity] |= {code_key(code): code.strip() for code in codes if code.strip()}

    add(Entity.ARTICLE, job.text("fallback_material"), job.text("travel_material"))
    for each in work_orders:
        add(Entity.CUSTOMER, each.customer, each.payer)
        add(Entity.PROJECT, each.project)
        add(Entity.ARTICLE, *(line.code for line in each.materials))
        if job.is_on("hours"):
            add(Entity.HOUR_ARTICLE, *(period.hour_type for period in each.periods))
            if job.kind.by_line:
                add(Entity.EMPLOYEE, *(period.employee for period in each.periods))
    return found


def made_kind(entity: Entity) -> str:
    """The ledger's word for a record that an export made."""
    return f"new_{entity.value}"


def made_key(job: ExportJob, key: str) -> str:
    """Its key there: by administration, not by account, since each administration needs its own.

    Args:
        job: Whose.
        key: The record's code as it is compared.
    """
    return f"{job.connection_id}/{key}"[:120]


class Resolver:
    """Knows the ids behind the codes of a batch of work orders.

    Args:
        store: The store.
        job: Whose.
        exporter: Opens the package; called only on a miss.
        hour_prices: Reads OutSmart's hour types, code → sale price, None for one that is not charged; called only when
            the mirror has none.
    """

    def __init__(
        self,
        store: Store,
        job: ExportJob,
        exporter: Callable[[], Exporter],
        hour_prices: Callable[[], Mapping[str, Decimal | None]],
    ) -> None:
        self._store, self._job, self._exporter, self._read_prices = store, job, exporter, hour_prices
        self._found: dict[tuple[Entity, str], Known | None] = {}
        self._several: set[tuple[Entity, str]] = set()
        self._relations: dict[str, Payload] = {}
        self._materials: dict[str, Decimal] = {}
        self._prices: dict[str, Decimal | None] = {}

    def prepare(self, work_orders: Sequence[CompletedWorkOrder]) -> None:
        """Find everything that these work orders name."""
        for entity, codes in codes_of(self._job, work_orders).items():
            new = {key: code for key, code in codes.items() if (entity, key) not in self._found}
            if new:
                self._resolve(entity, new)
        self._prepare_prices([period.hour_type for each in work_orders for period in each.periods])

    def known(self, entity: Entity, code: str) -> Known | None:
        """The record behind a code; None: the package does not have it."""
        return self._found.get((entity, code_key(code)))

    def is_ambiguous(self, entity: Entity, code: str) -> bool:
        """Whether several records of the package have a code, and nothing says which one is meant."""
        return (entity, code_key(code)) in self._several

    def learn(self, entity: Entity, code: str, known: Known) -> None:
        """Keep a record that was just made."""
        self._found[entity, code_key(code)] = known
        self._keep(entity, {code_key(code): known})

    def relation(self, code: str) -> Payload:
        """What OutSmart says about a relation, as far as it was read; empty when it was not."""
        return self._relations.get(code_key(code), {})

    def material_price(self, code: str) -> Decimal | None:
        """OutSmart's price of a material; None: it was not read, so that the package's own counts."""
        return self._materials.get(code_key(code))

    def hour_price(self, code: str) -> Decimal | None:
        """The sale price of an hour of a type; None: OutSmart has no such type, or it is not charged."""
        return self._prices.get(code_key(code))

    def is_charged(self, hour_type: str) -> bool:
        """Whether hours of a type are billed: OutSmart does not say otherwise."""
        return self._prices.get(code_key(hour_type), Decimal(0)) is not None

    def _resolve(self, entity: Entity, codes: Mapping[str, str]) -> None:
        keys = list(codes)
        with self._store.read() as connection:
            ids = self._from_mirror(connection, entity, keys)
            own = self._made(connection, entity, [key for key in keys if key not in ids])
            kept = looked_up.read(connection, self._job.connection_id, entity.value, keys)
        ids |= own
        cached = {key: _known.decode(text) if text else None for key, text in kept.items()}
        factless: dict[str, str] = {}
        missing: dict[str, str] = {}
        for key, code in codes.items():
            known = cached.get(key)
            if key in ids and (known is None or known.remote_id != ids[key]):
                factless[key] = ids[key]
                known = Known(remote_id=ids[key], code=code)
            elif key not in ids and key not in cached and (entity, key) not in self._several:
                missing[key] = code
            self._found[entity, key] = known
        if entity in self._job.exports.fixed_facts:
            # Of what an export made, the mirror says nothing.
            factless = {key: remote_id for key, remote_id in factless.items() if key in own}
        if factless:
            answered = self._ask_facts(entity, factless)
            # What was made and is gone may be there again, made by hand under its code.
            missing |= {key: codes[key] for key in own if key in factless and key not in answered}
        if missing:
            self._ask(entity, missing)

    def _made(self, connection: Connection, entity: Entity, keys: Sequence[str]) -> dict[str, str]:
        """What an export made of these codes: the package may have given it another one."""
        asked = {made_key(self._job, key): key for key in keys}
        made = ledger.made(connection, self._job.account, made_kind(entity), list(asked))
        return {asked[key]: remote_id for key, remote_id in made.items()}

    def _from_mirror(self, connection: Connection, entity: Entity, keys: Sequence[str]) -> dict[str, str]:
        rows = defaultdict(list)
        for start in range(0, len(keys), _CHUNK):
            query = select(
                mirror.c.code_key, mirror.c.provider_id, mirror.c.state, mirror.c.outsmart, mirror.c.payload
            ).where(
                mirror.c.connection_id == self._job.connection_id,
                mirror.c.record == entity.value,
                mirror.c.code_key.in_(keys[start : start + _CHUNK]),
                mirror.c.source_gone_at.is_(None),
            )
            for row in connection.execute(query):
                if entity is Entity.CUSTOMER and row.outsmart:
                    self._relations[row.code_key] = decode(row.outsmart)
                if entity is Entity.ARTICLE and (price := decode(row.outsmart or row.payload or "{}").get("price")):
                    self._materials[row.code_key] = parse_decimal(str(price))
                if row.provider_id is not None:
                    rows[row.code_key].append(row)
        found = {}
        for key, there in rows.items():
            synced = [row for row in there if row.state == MirrorState.SYNCED]
            chosen = synced or there
            if len(chosen) == 1:
                found[key] = str(chosen[0].provider_id)
            else:
                self._several.add((entity, key))
        return found

    def _ask_facts(self, entity: Entity, ids: Mapping[str, str]) -> dict[str, Known]:
        facts = self._exporter().facts(entity, list(ids.values()))
        found: dict[str, Known] = {key: facts[remote_id] for key, remote_id in ids.items() if remote_id in facts}
        self._found |= {(entity, key): known for key, known in found.items()}
        self._keep(entity, found)
        return found

    def _ask(self, entity: Entity, codes: Mapping[str, str]) -> None:
        answers = {
            code_key(code): known for code, known in self._exporter().look_up(entity, list(codes.values())).items()
        }
        found = {key: answers.get(key) for key in codes}
        self._found |= {(entity, key): known for key, known in found.items()}
        self._keep(entity, found)

    def _keep(self, entity: Entity, found: Mapping[str, Known | None]) -> None:
        texts = {
            key: ("", "") if known is None else (known.remote_id, msgspec.json.encode(known).decode())
            for key, known in found.items()
        }
        with self._store.begin() as connection:
            looked_up.keep(connection, self._job.connection_id, entity.value, texts)

    def _prepare_prices(self, hour_types: Sequence[str]) -> None:
        if not self._job.is_on("hours"):
            return
        keys = list({code_key(code) for code in hour_types if code.strip()} - set(self._prices))
        if not keys:
            return
        with self._store.read() as connection:
            self._prices |= _mirrored_prices(connection, self._job.connection_id, keys)
            kept = looked_up.read(connection, self._job.connection_id, HOUR_PRICE, keys)
        self._prices |= {key: _price_of(text) for key, text in kept.items() if text and key not in self._prices}
        if all(key in self._prices or key in kept for key in keys):
            return
        read = {code_key(code): price for code, price in self._read_prices().items()}
        self._prices = read | self._prices
        texts = {key: (key[:60], _price_text(read[key])) if key in read else ("", "") for key in {*keys, *read}}
        with self._store.begin() as connection:
            looked_up.keep(connection, self._job.connection_id, HOUR_PRICE, texts)


_NOT_CHARGED = "not charged"


def _price_text(price: Decimal | None) -> str:
    return _NOT_CHARGED if price is None else f"{price:f}"


def _price_of(text: str) -> Decimal | None:
    return None if text == _NOT_CHARGED else Decimal(text)


def _mirrored_prices(connection: Connection, connection_id: int, keys: Sequence[str]) -> dict[str, Decimal | None]:
    query = select(mirror.c.code_key, mirror.c.outsmart, mirror.c.payload).where(
        mirror.c.connection_id == connection_id,
        mirror.c.record == Entity.HOUR_ARTICLE.value,
        mirror.c.code_key.in_(keys),
    )
    found = {}
    for row in connection.execute(query):
        # What OutSmart holds comes first: the office may have its own price there.
        payload = {**decode(row.payload or "{}"), **decode(row.outsmart or "{}")}
        if is_told(payload):
            found[row.code_key] = sale_price(payload)
    return found
