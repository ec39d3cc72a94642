"""What a first schema may contain: it only creates, and refers only to what it has created itself.

It is read by PostgreSQL's own parser, which takes 40 ms to load.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pglast import ast, enums
from pglast.parser import ParseError, parse_sql
from pglast.visitors import Visitor

from nexus.catalogue.errors import short

ONLY = "a first schema only creates; changes belong to the service's migration"
NO_TABLE = "creates no table; write CREATE TABLE, or remove schema from the service"
ELSEWHERE = "is not in the schema public, the only one that services use; leave the schema out"
CREATED = {  # permitted statements, and the attribute of each that names what it creates
    ast.CreateStmt: "relation",
    ast.CreateSeqStmt: "sequence",
    ast.ViewStmt: "view",
    ast.CompositeTypeStmt: "typevar",
    ast.IndexStmt: "idxname",
    ast.CreateEnumStmt: "typeName",
    ast.CreateDomainStmt: "domainname",
    ast.InsertStmt: "",
}
KIND = enums.ObjectType
NAMED = (KIND.OBJECT_TABLE, KIND.OBJECT_VIEW, KIND.OBJECT_INDEX, KIND.OBJECT_SEQUENCE)
TYPES = (KIND.OBJECT_TYPE, KIND.OBJECT_DOMAIN)
PARTS = (KIND.OBJECT_COLUMN, KIND.OBJECT_TABCONSTRAINT)
LASTING = {"t": "TEMPORARY", "u": "UNLOGGED"}
REFUSED = {  # options of these statements
    "if_not_exists": "IF NOT EXISTS would adopt what something else created; leave it out",
    "replace": f"OR REPLACE changes what already exists: {ONLY}",
    "concurrent": "CONCURRENTLY cannot be rolled back with the rest; leave it out, the table is empty",
}


@dataclass
class Reading:
    """What a file creates, and what is wrong with it as (line, message)."""

    text: str
    tables: list[str] = field(default_factory=list)
    own: set[str] = field(default_factory=set)  # all that was created so far
    objections: list[tuple[int, str]] = field(default_factory=list)

    def refuse(self, place: int, message: str) -> None:
        """Note one problem, `place` characters from the beginning."""
        self.objections.append((self.text.count("\n", 0, place) + 1, message))


def read(text: str) -> Reading:
    """The content of a file; a file that PostgreSQL cannot parse has one objection."""
    found = Reading(text)
    try:
        statements = parse_sql(text)
    except ParseError as error:
        message, place = error.args
        found.refuse(place, f"PostgreSQL cannot read this: {message}")
        return found
    for raw in statements:
        place = raw.stmt_location or 0
        end = place + raw.stmt_len if raw.stmt_len else None
        shown = short(" ".join(text[place:end].split()))
        for why in _objections(raw.stmt, found):
            found.refuse(place, f'"{shown}": {why}')
    if not found.tables and not found.objections:
        found.refuse(0, NO_TABLE)
    return found


def _objections(statement: Any, found: Reading) -> Iterator[str]:
    if isinstance(statement, ast.CommentStmt):
        name = _commented(statement)
        if name not in found.own:
            yield f"{name} is not created above; {ONLY}" if name else ONLY
        return
    attribute = CREATED.get(type(statement))
    if attribute is None:
        yield ONLY
        return
    created = _name(getattr(statement, attribute)) if attribute else ""
    if "." in created:
        yield f"{created} {ELSEWHERE}"
    if created in found.own:
        yield f"{created} is already created above"
    found.own |= {created} - {""}
    yield from (why for name, why in REFUSED.items() if getattr(statement, name, False))
    yield from _relations(statement, found.own)
    if isinstance(statement, ast.CreateStmt):
        found.tables.append(created)


def _relations(statement: Any, own: set[str]) -> Iterator[str]:
    """Objections to the tables that a statement names: foreign tables may be missing, or be changed by it."""
    names = _Names()
    names(statement)
    for node in names.relations:
        if node.schemaname not in (None, "public"):
            yield f"{node.schemaname}.{node.relname} {ELSEWHERE}"
        elif node.relname not in own | names.queries:
            yield f"{node.relname} is not created above; {ONLY}"
        if kind := LASTING.get(node.relpersistence):
            yield f"what is {kind} is empty after a failover; leave the word out"


def _commented(statement: ast.CommentStmt) -> str:
    """The object of a comment; empty for an object that no first schema creates."""
    target: Any = statement.object
    if statement.objtype in TYPES:
        return _name(target.names)
    if statement.objtype in NAMED:
        return _name(target)
    return _name(target[:-1]) if statement.objtype in PARTS else ""


def _name(node: Any) -> str:
    """A name as used here: without the schema public, with any other schema; empty for an object without a name."""
    if isinstance(node, ast.RangeVar):
        return str(node.relname)
    names = [part.sval for part in node] if isinstance(node, tuple) else [node or ""]
    return ".".join(names[1:] if names[:1] == ["public"] else names)


class _Names(Visitor):
    """Relations that a statement names, and its named queries (WITH)."""

    def __init__(self) -> None:
        self.relations: list[Any] = []
        self.queries: set[str] = set()

    def visit_RangeVar(self, ancestors: Any, node: Any) -> None:
        self.relations.append(node)

    def visit_CommonTableExpr(self, ancestors: Any, node: Any) -> None:
        self.queries.add(node.ctename)
