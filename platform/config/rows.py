"""Rows of models in few statements, for the paths that every job takes.

Django builds the SQL of every `create` and `save` anew, which costs more than PostgreSQL needs to
run it. Here it is built once per model and number of rows, and one statement writes all rows: see
benchmarks/overhead. Columns and conversions stay those of the models.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import groupby
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Field, Model

Row = TypeVar("Row")
Instance = TypeVar("Instance", bound=Model)
Shape = tuple[tuple[type[Model], int], ...]
"""Models and how many rows of each, in the order of writing."""


def rows_insert(rows: Iterable[Model]) -> None:
    """Insert new rows, of one model or of several, in one statement.

    Rows of one model stand together. Their order is free otherwise: foreign keys are checked when
    the transaction ends. Keys must be set, values may not be expressions.

    Raises Django's `IntegrityError` as `create` does.
    """
    groups = [(model, list(group)) for model, group in groupby(rows, type)]
    if not groups:
        return
    values = [
        # Most are empty, and nothing is what nothing becomes.
        None
        if (value := field.pre_save(row, add=True)) is None
        else field.get_db_prep_save(value, connection)
        for model, group in groups
        for row in group
        for field in _columns(model)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_insert_sql(tuple((model, len(group)) for model, group in groups)), values)
    for _, group in groups:
        for row in group:
            row._state.adding, row._state.db = False, connection.alias


@contextmanager
def statements_together() -> Iterator[None]:
    """Send the statements of the context without waiting for each: what was read is waited for.

    Inside a transaction only. Raises what a statement raises where a later one reads, or at the
    end.
    """
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def rows_update(rows: Sequence[Model], *names: str) -> int:
    """Write the fields `names` of rows of one model, by their keys. How many rows there were."""
    if not rows:
        return 0
    model = type(rows[0])
    fields = _fields(model, names)
    values = [
        field.get_db_prep_save(getattr(row, field.attname), connection)
        for row in rows
        for field in fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(_update_sql(model, names, len(rows)), values)
        return int(cursor.rowcount)


def rows_read(make: Callable[..., Row], sql: str, parameters: Any) -> list[Row]:
    """What `make` makes of the columns of each row that `sql` gives."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [make(*row) for row in cursor.fetchall()]


def columns_of(model: type[Model], table: str) -> str:
    """The columns of `model`, of what a statement calls `table`, as `row_of` takes them."""
    return ", ".join(f"{table}.{_name(field)}" for field in _columns(model))


def row_of(model: type[Instance], values: Sequence[Any]) -> Instance:
    """The row that these values of its columns make. None of them is JSON."""
    return model.from_db(connection.alias, [field.attname for field in _columns(model)], values)


@lru_cache(maxsize=64)
def _columns(model: type[Model]) -> tuple["Field[Any, Any]", ...]:
    return tuple(model._meta.concrete_fields)


@lru_cache(maxsize=64)
def _fields(model: type[Model], names: tuple[str, ...]) -> tuple["Field[Any, Any]", ...]:
    """The key, then the fields called `names`."""
    by_name = {field.name: field for field in _columns(model)}
    return tuple(by_name[name] for name in (model._meta.pk.name, *names))


@lru_cache(maxsize=256)
def _insert_sql(shape: Shape) -> str:
    quote = connection.ops.quote_name
    inserts = []
    for model, count in shape:
        columns = [_name(field) for field in _columns(model)]
        row = f"({', '.join(['%s'] * len(columns))})"
        into = f"{quote(model._meta.db_table)} ({', '.join(columns)})"
        inserts.append(f"INSERT INTO {into} VALUES {', '.join([row] * count)}")  # noqa: S608
    *before, last = inserts
    if not before:
        return last
    named = ", ".join(f"inserted_{i} AS ({insert})" for i, insert in enumerate(before))
    return f"WITH {named} {last}"


@lru_cache(maxsize=256)
def _update_sql(model: type[Model], names: tuple[str, ...], count: int) -> str:
    quote = connection.ops.quote_name
    key, *fields = _fields(model, names)
    row = ", ".join(f"%s::{_type(field)}" for field in (key, *fields))
    rows = ", ".join([f"({row})"] * count)
    own, *columns = [_name(field) for field in (key, *fields)]
    assignments = ", ".join(f"{column} = new.{column}" for column in columns)
    return (
        f"UPDATE {quote(model._meta.db_table)} AS old SET {assignments} "  # noqa: S608 - our names
        f"FROM (VALUES {rows}) AS new({', '.join((own, *columns))}) WHERE old.{own} = new.{own}"
    )


def _name(field: "Field[Any, Any]") -> str:
    return str(connection.ops.quote_name(str(field.column)))


def _type(field: "Field[Any, Any]") -> str:
    """The column's type without its length: a cast would cut what is too long, silently."""
    return re.sub(r"\(\d+\)", "", field.db_type(connection) or "")
