"""Brings the page's catalogues up to date with the sentences in the source; `make messages`.

Five kinds of sentences are found: what templates mark with ``_()`` or ``{% trans %}``, what code marks with ``N_()``,
the sentences of errors, reasons and labels, which are written where they arise and marked by nothing but their place,
what a function returns in words, and what is given a name in words: constants, tables and values that are said later.
A value that is put into a sentence becomes a place in it: ``{0}``, ``{1}``, ...
"""

from __future__ import annotations

import ast
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from outsmart_sync.languages.catalogue import DOMAIN, LANGUAGES, catalogue_file

ROOT = Path(__file__).resolve().parent.parent
HOUSE = ROOT / "include" / "outsmart_sync"
_SENTENCES = frozenset({
    "what", "why", "cause", "remedy", "text", "label", "title", "description", "what_for", "names", "many", "right",
})  # fmt: skip
"""Names of values and arguments that hold a sentence, or words within one."""

_SPEAKERS = frozenset({
    "SyncError", "ConfigurationError", "NotConfigured", "InvalidSettings", "LoginExpired", "AccessDenied",
    "RequestRefused", "VaultLocked", "StoreUnusable", "StagingGone", "TransientError", "RateLimited",
    "VendorUnavailable", "RenewalRefused", "Busy", "RecordError", "UncertainOutcome", "WrongValue", "Problem", "Reason",
    "Outcome", "Reaction", "Decision", "Stopped", "Instead", "_said", "_failed", "_held", "_differs", "OutOfTime",
    "Disagree", "Impossible", "_Failure", "_attached",
})  # fmt: skip
"""Classes and functions whose arguments are sentences for people."""

_SAID_LAST = frozenset({
    "_decide", "_another", "log_event", "_decided", "_uncertain", "NotMade", "_needed",
})  # fmt: skip
"""Functions whose last argument is a sentence."""

_LABELLED = frozenset({
    "Choice", "Switch", "Text", "Limit", "StartDate", "Rules", "ImportCategory", "Field", "Record", "ValueList",
    "ExactList", "VismaList", "Reference", "replace", "Package", "DocumentKind", "ExportCategory",
})  # fmt: skip
"""Declarations with words for people."""

_SAID_FIRST = frozenset({"Need"})
"""Declarations that begin with what they are called."""

_TABLES = frozenset({"_EXPORTS", "_VERBS", "_ENOUGH"})
"""Tables of words for people, alone or the first of several things."""

_LISTS = frozenset({"notes", "left", "unknown", "too_long"})
"""Lists that gather words for people."""

_NAMED_FIRST = frozenset({"Field", "Choice", "Switch", "Text", "StartDate", "Rules"})
"""Declarations whose second argument is their label, after their name."""

_UNSPOKEN = frozenset({
    "epoch", "why_idle", "_overtaken", "check", "_check_app", "_bookkeeping", "get_provider_info", "preview_lines",
    "_line_text",
})  # fmt: skip
"""Functions whose words are for Airflow's own pages, for a task's log or to compare, and that our page says none of."""

_UNSPOKEN_FILES = ("/terminal.py", "/provider_info.py", "/records/export_actions.py", "/services/erasing.py")
"""Files whose names for words are those of the command line and of Airflow's forms; so are those of ``cli*.py``."""

_SHORTEST = 2
_FEWEST_WORDS = 3
"""What is returned or named may be a code, an address or a question to a database; of as many words it is said."""

_GENERIC = re.compile(r"\{0\}( [a-z]+){,3}")
"""What fits sentences that it is not meant for, since it says hardly anything of itself."""

_TYPED = re.compile(r"(outsmart-sync|python) ")
"""How what is typed begins: a command alone is no sentence."""

_WORD = re.compile(r"[\"'(]*[A-Za-z][a-z'-]*[\"'.,:;!?)]*")


def main() -> int:
    """Write the catalogues; returns the exit code."""
    template = found()
    for language in LANGUAGES:
        file = catalogue_file(language)
        catalogue = Catalog(locale=language, domain=DOMAIN)
        if file.exists():
            with file.open("rb") as source:
                catalogue = read_po(source, locale=language, domain=DOMAIN)
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(written(catalogue))
        if language == "en":  # English speaks for itself; its catalogue holds what the page says in other words
            catalogue = _spoken(catalogue)
            file.write_bytes(written(catalogue))
        missing = sum(1 for message in catalogue if message.id and not message.string)
        print(f"{LANGUAGES[language]}: {len(catalogue)} sentences, {missing} not translated yet")
    return 0


def _spoken(catalogue: Catalog) -> Catalog:
    """Only the sentences that have other words."""
    kept = Catalog(locale="en", domain=DOMAIN)
    for message in catalogue:
        if message.id and message.string:
            kept.add(message.id, message.string)
    return kept


def written(catalogue: Catalog) -> bytes:
    """A catalogue as the text of its file, which says nothing that changes by itself."""
    out = io.BytesIO()
    write_po(out, catalogue, width=120, sort_output=True, no_location=True, omit_header=False, ignore_obsolete=True)
    lines = out.getvalue().decode().splitlines(keepends=True)
    shifting = ("POT-Creation-Date", "PO-Revision-Date", "Generated-By", "Last-Translator", "Report-Msgid")
    kept = [line for line in lines if not line.startswith(tuple(f'"{name}' for name in shifting))]
    return "".join(kept).encode()


def found() -> Catalog:
    """Every sentence there is."""
    template = of_pages()
    for sentence in sorted({each for file in sorted(HOUSE.rglob("*.py")) for each in sentences_of(file)}):
        if sentence not in template:
            template.add(sentence)
    return template


def of_pages() -> Catalog:
    """What the pages themselves say."""
    template = Catalog(domain=DOMAIN)
    options = {"**.html": {"trimmed": "true", "newstyle_gettext": "true"}}
    extracted = extract_from_dir(
        str(HOUSE / "webapp"), [("**.py", "python"), ("**.html", "jinja2")], options_map=options, keywords=_keywords()
    )
    for _, _, message, _, _ in extracted:
        template.add(message)
    return template


def _keywords() -> dict[str, tuple[int, ...] | None]:
    return {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}


def sentences_of(file: Path) -> Iterator[str]:
    """The sentences for people that a module writes."""
    module = ast.parse(file.read_text(encoding="utf-8"))
    tree = _Spelled(_constants(module)).visit(module)
    if not file.name.startswith("cli") and not file.as_posix().endswith(_UNSPOKEN_FILES):
        yield from _named(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _of_call(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value and not isinstance(node.value, ast.Tuple):
            if any(getattr(target, "id", getattr(target, "attr", "")) in _SENTENCES for target in _targets(node)):
                yield from _texts([node.value])
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            for target in node.targets:
                if isinstance(target, ast.Tuple):
                    pairs = zip(target.elts, node.value.elts, strict=False)
                    yield from _texts([value for name_, value in pairs if getattr(name_, "id", "") in _SENTENCES])
        elif isinstance(node, ast.FunctionDef) and node.name not in _UNSPOKEN:
            yield from _returned(node)


def _constants(module: ast.Module) -> dict[str, ast.expr]:
    """Name → what it stands for, of the module's constants that are words and no code."""
    found: dict[str, ast.expr] = {}
    for node in module.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        if any(" " in text for text in _variants(node.value)):
            found |= {target.id: node.value for target in _targets(node) if isinstance(target, ast.Name)}
    return found


class _Spelled(ast.NodeTransformer):
    """Puts constants where their names stand alone; within a text they stay a place."""

    def __init__(self, constants: dict[str, ast.expr]) -> None:
        self._constants = constants

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._constants.get(node.id, node) if isinstance(node.ctx, ast.Load) else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        return node


def _named(node: ast.AST) -> Iterator[str]:
    """What a name is given in words, to be said later."""
    if isinstance(node, ast.FunctionDef) and node.name in _UNSPOKEN:
        return
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value:
        yield from (text for text in _in_words(node.value) if not _GENERIC.fullmatch(text))
        if not isinstance(node, ast.AugAssign) and any(getattr(each, "id", "") in _TABLES for each in _targets(node)):
            yield from _of_table(node.value)
    for child in ast.iter_child_nodes(node):
        yield from _named(child)


def _of_table(table: ast.expr) -> Iterator[str]:
    for value in table.values if isinstance(table, ast.Dict) else ():
        yield from _texts(value.elts[:1] if isinstance(value, ast.Tuple) else [value])


def _returned(function: ast.FunctionDef) -> Iterator[str]:
    """What a function answers in words: sentences, and parts of them."""
    for node in ast.walk(function):
        if isinstance(node, ast.Return | ast.Yield) and node.value:
            yield from _in_words(node.value)


def _in_words(node: ast.expr) -> Iterator[str]:
    for text in _texts(_held(node)):
        if sum(1 for each in text.split() if _WORD.fullmatch(each)) >= _FEWEST_WORDS and not _TYPED.match(text):
            yield text


def _held(node: ast.expr) -> list[ast.expr]:
    """What an answer is made of: one of several, or all of them."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return [each for element in node.elts for each in _held(element)]
    if isinstance(node, ast.BoolOp | ast.Dict):
        return [each for value in node.values for each in _held(value)]
    if isinstance(node, ast.IfExp):
        return [*_held(node.body), *_held(node.orelse)]
    if isinstance(node, ast.DictComp):
        return _held(node.value)
    return _held(node.elt) if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp) else [node]


def _of_call(node: ast.Call) -> Iterator[str]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in _SPEAKERS | _SAID_LAST:
        said = node.args[-1:] if name in _SAID_LAST else node.args
        yield from _texts([*said, *(each.value for each in node.keywords if each.arg in _SENTENCES)])
    elif name in _SAID_FIRST:
        yield from _texts(node.args[:1])
    elif name in _LABELLED:
        yield from _labels(name, node)
    elif name == "append" and isinstance(node.func, ast.Attribute):
        gathered = node.func.value
        if getattr(gathered, "attr", getattr(gathered, "id", "")) in _LISTS:
            yield from _texts(node.args)


def _targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _labels(name: str, node: ast.Call) -> Iterator[str]:
    yield from _texts([each.value for each in node.keywords if each.arg in ("label", "reason_text")])
    if name in _NAMED_FIRST and len(node.args) > 1:
        yield from _texts([node.args[1]])
    for each in node.keywords:
        if each.arg in ("values", "countries") and isinstance(each.value, ast.Dict):
            yield from _texts(each.value.values)


def _texts(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        for text in _variants(node):
            if len(text.strip()) >= _SHORTEST and any(letter.isalpha() for letter in text.replace("{", "")):
                yield text.strip()


def _variants(node: ast.expr) -> list[str]:
    """The forms a sentence may take: a choice inside it makes two."""
    if isinstance(node, ast.Constant):
        plain = isinstance(node.value, str) and (" " in node.value or node.value.isalpha() or "-" in node.value)
        return [node.value] if plain and isinstance(node.value, str) else []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("strip", "lstrip"):
        return _variants(node.func.value)
    if isinstance(node, ast.IfExp):
        return [*_variants(node.body), *_variants(node.orelse)]
    if isinstance(node, ast.BoolOp):
        return [text for each in node.values for text in _variants(each)]
    if isinstance(node, ast.JoinedStr | ast.BinOp):
        return [_numbered(node)]
    return []


def _parts(node: ast.expr) -> list[ast.expr]:
    """What a text is put together from."""
    if isinstance(node, ast.JoinedStr):
        return node.values
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_parts(node.left), *_parts(node.right)]
    return [node]


def _numbered(node: ast.expr) -> str:
    text, number = "", 0
    for part in _parts(node):
        if isinstance(part, ast.Constant):
            text += str(part.value)
        else:
            text += f"{{{number}}}"
            number += 1
    # What comes before a sentence that is added to another one is that other one.
    return text.removeprefix("{0} ") if text.startswith("{0} It ") else text


if __name__ == "__main__":
    sys.exit(main())
