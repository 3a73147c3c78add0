"""What VISMA's API knows: its resources with their operations, and the fields of everything it takes and gives.

`resources.json` holds the facts of https://github.com/matssun/visma-external-api-schemas (commit d53873f, February
2026), with what https://github.com/api-evangelist/visma adds for September 2026: `OrderDate` is required. Which
properties can be filtered is published nowhere; `filters` are those that the vendor's pages and its users confirm.
"""

from pathlib import Path
from typing import Any, Literal

import msgspec

Type = Literal["text", "uuid", "date", "time", "bool", "int", "number", "list", "object"]


class Field(msgspec.Struct, frozen=True):
    """One field of a schema.

    Attributes:
        type: Its type; `date` is a day, `time` a moment in UTC.
        of: What a list or object holds: another schema or a type.
        max: Most characters.
        low: Lowest value.
        high: Highest value.
        decimals: Most decimals.
        values: The only values there are.
        required: Whether it must be sent.
        read_only: Whether it is left aside when sent.
        nullable: Whether it may be null.
    """

    type: Type
    of: str | None = None
    max: int | None = None
    low: float | None = None
    high: float | None = None
    decimals: int | None = None
    values: tuple[int, ...] = ()
    required: bool = False
    read_only: bool = False
    nullable: bool = False

    @property
    def empty(self) -> Any:
        """What the field holds as long as nobody gives it a value."""
        if self.nullable or self.type in {"text", "uuid", "date", "time", "list", "object"}:
            return None
        return {"bool": False, "int": 0, "number": 0.0}[self.type]


Fields = dict[str, Field]


class Operation(msgspec.Struct, frozen=True):
    """What can be done at one path.

    Attributes:
        method: The HTTP method.
        path: The path, with `{name}` where something varies.
        scopes: Any of these is needed.
        resource: The resource it belongs to.
    """

    method: str
    path: str
    scopes: frozenset[str]
    resource: "Resource"


class Resource(msgspec.Struct, frozen=True):
    """One kind of thing.

    Attributes:
        name: Its path.
        schema: The name of its schema.
        fields: Its fields.
        variants: The product variants that have it.
        filters: What `$filter` may name; `Rows/Text` is a field of its rows.
        changed: The field that tells when it was last changed.
    """

    name: str
    schema: str
    fields: Fields
    variants: frozenset[int]
    filters: frozenset[str]
    changed: str | None


class _ResourceFile(msgspec.Struct):
    schema: str
    variants: frozenset[int]
    filters: frozenset[str]
    operations: list[list[str]]
    changed: str | None = None


class _File(msgspec.Struct):
    resources: dict[str, _ResourceFile]
    schemas: dict[str, Fields]


_FILE = msgspec.json.decode(Path(__file__).with_suffix(".json").read_bytes(), type=_File)

INVOICING, INVOICING_COLLABORATION = 2, 6

SCHEMAS = _FILE.schemas


def _resource(name: str, one: _ResourceFile) -> Resource:
    # Nothing is published about the sixth variant; it is taken for what its name says.
    variants = one.variants | {INVOICING_COLLABORATION} if INVOICING in one.variants else one.variants
    return Resource(name, one.schema, SCHEMAS[one.schema], frozenset(variants), one.filters, one.changed)


RESOURCES = {name: _resource(name, one) for name, one in _FILE.resources.items()}

OPERATIONS = [
    Operation(method, path, frozenset(scopes), RESOURCES[name])
    for name, one in _FILE.resources.items()
    for method, path, *scopes in one.operations
]

KEYS: dict[str, tuple[str, ...]] = {
    "companysettings": (),
    "countries": ("Code",),
    "currencies": ("Code",),
    "salespricelists/prices": ("SalesPriceListId", "ArticleId"),
}
"""What tells rows apart where it is not an `Id`."""

NUMBERS = {
    "customers": "CustomerNumber",
    "articles": "Number",
    "projects": "Number",
    "orders": "Number",
    "customerinvoices": "InvoiceNumber",
    "units": "Code",
    "customerlabels": "Name",
    "articlelabels": "Name",
}
"""By what people know a row."""

_HIDDEN = {"salesdocumentattachments": ("ContentType", "Data", "Sha256")}
"""What is kept besides the fields of the schema."""

Row = Any
"""A row: an object with an attribute for each field."""


def _row_type(resource: Resource) -> type:
    fields = [(name, Any, field.empty) for name, field in resource.fields.items()]
    fields += [(name, Any, None) for name in _HIDDEN.get(resource.name, ())]
    name = f"{resource.schema}Row" if resource.schema != "SalesPriceListRow" else resource.schema
    return msgspec.defstruct(name, fields, gc=False, array_like=False, omit_defaults=True)


ROW_TYPES: dict[str, type[Row]] = {name: _row_type(resource) for name, resource in RESOURCES.items()}


def key_of(resource: str, row: Row) -> str:
    """What tells a row apart from the others of its kind."""
    return "/".join(str(getattr(row, name)) for name in KEYS.get(resource, ("Id",)))
