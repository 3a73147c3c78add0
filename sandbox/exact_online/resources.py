"""What is served: each resource's path, paging, filters and properties, as `resources.json` lists them.

A resource's `documentation` is the vendor's page it was taken from. Several resources may show the same rows: for
accounts there are `crm/Accounts`, `bulk/CRM/Accounts` and `sync/CRM/Accounts`.
"""

import re
from pathlib import Path
from typing import Any, Literal

import msgspec

Method = Literal["GET", "POST", "PUT", "DELETE"]
Kind = Literal["single", "bulk", "sync", "function", "nested"]


class _Listed(msgspec.Struct, forbid_unknown_fields=True):
    """One entry of `resources.json`."""

    path: str
    kind: Kind
    methods: tuple[Method, ...]
    documentation: str
    rows: str = ""
    page_size: int = 60
    scope: str | None = None
    key: str = ""
    select_required: bool = False
    filter_mandatory: bool = False
    filters: tuple[str, ...] | None = None
    deleted_entity_type: int | None = None
    mandatory_on_post: tuple[str, ...] = ()
    properties_of: str | None = None
    without: tuple[str, ...] = ()
    properties: dict[str, tuple[str, ...]] = {}
    values: dict[str, tuple[str, ...]] = {}
    only: dict[str, int] = {}
    collections: dict[str, tuple[str, str]] = {}


class _File(msgspec.Struct):
    """The whole of `resources.json`."""

    about: str
    resources: list[_Listed]


class Property(msgspec.Struct, frozen=True):
    """A property of a resource.

    Attributes:
        name: Its name.
        edm: Its type, such as `Edm.Guid`; collections of other rows read `Collection(...)`.
        writable: `post` and `put`, as far as the vendor's page shows the property for them.
    """

    name: str
    edm: str
    writable: tuple[str, ...] = ()

    @property
    def is_collection(self) -> bool:
        """Whether it leads to other rows instead of holding a value."""
        return self.edm.startswith("Collection(")


class Resource(msgspec.Struct, frozen=True):
    """A path and what may be asked there.

    Attributes:
        path: Path below the division, such as `bulk/CRM/Accounts`.
        kind: `single` and `bulk` go by key, `sync` by Timestamp, a `function` takes parameters; `nested` rows have
            no address of their own and are seen inside other rows only.
        rows: The resource whose rows it shows (its own path for most).
        page_size: Most rows in one answer.
        methods: HTTP methods it takes.
        scope: What the app must have been registered for; None for nothing.
        documentation: The vendor's page.
        key: The property in the row's address.
        select_required: Whether `$select` may not be left out.
        filter_mandatory: Whether a `$filter` on one of `filters` may not be left out.
        filters: The properties that may be filtered; None for all.
        deleted_entity_type: The code of its rows in `sync/Deleted`.
        mandatory_on_post: Properties a new row must have.
        properties: All properties by name.
        values: The values some properties are limited to, as text.
        only: What rows must have in some properties to be shown here.
        collections: For properties that lead to other rows, the path of those and their property that leads back.
    """

    path: str
    kind: Kind
    rows: str
    page_size: int
    methods: tuple[Method, ...]
    scope: str | None
    documentation: str
    key: str
    select_required: bool
    filter_mandatory: bool
    filters: frozenset[str] | None
    deleted_entity_type: int | None
    mandatory_on_post: tuple[str, ...]
    properties: dict[str, Property]
    values: dict[str, tuple[str, ...]]
    only: dict[str, int]
    collections: dict[str, tuple[str, str]]

    @property
    def type_name(self) -> str:
        """The entity's type in `__metadata`; only its general form is known from recordings."""
        return "Exact.Web.Api.Models." + re.sub(r"(?<=ss)es$|s$", "", self.path.replace("/", "."))

    def may_filter(self, name: str) -> bool:
        """Whether a property may stand in `$filter`."""
        known = self.properties.get(name)
        return known is not None and not known.is_collection and (self.filters is None or name in self.filters)


def _load() -> dict[str, Resource]:
    listed = msgspec.json.decode(Path(__file__).with_name("resources.json").read_bytes(), type=_File).resources
    by_path = {one.path: one for one in listed}
    return {path: _resource(one, by_path) for path, one in by_path.items()}


def _resource(listed: _Listed, by_path: dict[str, _Listed]) -> Resource:
    base = by_path[listed.properties_of].properties if listed.properties_of else {}
    kept = {name: shape[:1] for name, shape in base.items() if name not in listed.without}
    properties = {name: Property(name, edm, tuple(ways)) for name, (edm, *ways) in (kept | listed.properties).items()}
    filters = ("Timestamp",) if listed.kind == "sync" and listed.filters is None else listed.filters
    facts: dict[str, Any] = {name: getattr(listed, name) for name in Resource.__struct_fields__}
    facts |= {"properties": properties, "filters": None if filters is None else frozenset(filters)}
    return Resource(**facts)


RESOURCES = _load()


def entity_of(path: str) -> str:
    """The rows behind a path: user rights and scopes belong to them, whichever way they are read."""
    known = RESOURCES.get(path)
    return known.rows or path if known else path


def deletion_code(table: str) -> int | None:
    """The code under which `sync/Deleted` reports deleted rows of a table."""
    codes = (one.deleted_entity_type for one in RESOURCES.values() if one.rows == table)
    return next((code for code in codes if code is not None), None)
