"""Connections of their own that LISTEN: outside Django's, which are pooled and closed."""

from typing import Any

from django.db import connection


def listener_parameters() -> dict[str, Any]:
    """The keywords of psycopg's `connect` for the platform's database, with autocommit."""
    parameters = connection.get_connection_params()
    django_only = {"pool", "cursor_factory", "context"}
    return {name: value for name, value in parameters.items() if name not in django_only} | {
        "autocommit": True
    }
