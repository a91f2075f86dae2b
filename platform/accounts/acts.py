"""What people did that matters, in the log that the database keeps append-only (`LogEntry`)."""

from collections.abc import Mapping

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models

from accounts.models import User


def act_log(*, by: User, of: type[models.Model], about: str, message: str) -> None:
    """One line about rows of a model that no single row stands for, as an export."""
    LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(of),
        object_repr=about[:200],
        action_flag=CHANGE,
        change_message=message,
    )


def rights_of(row: models.Model) -> dict[str, set[str]]:
    """By name, what gives rights to a person, or to a group."""
    held = {"Permissions": _permissions(row)}
    if isinstance(row, User):
        flags = ("is_active", "is_staff", "is_superuser")
        held["Groups"] = {group.name for group in row.groups.all()}
        held["Flags"] = {flag for flag in flags if getattr(row, flag)}
    return held


def rights_changed(before: Mapping[str, set[str]], after: Mapping[str, set[str]]) -> str:
    """What came and what went, in words; empty where nothing did."""
    told = []
    for kind, now in after.items():
        had = before.get(kind, set())
        given, taken = sorted(now - had), sorted(had - now)
        if given:
            told.append(f"{kind} given: {', '.join(given)}.")
        if taken:
            told.append(f"{kind} taken: {', '.join(taken)}.")
    return " ".join(told)


def _permissions(row: models.Model) -> set[str]:
    granted = row.user_permissions if isinstance(row, User) else row.permissions  # type: ignore[attr-defined]
    labels = granted.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in labels}
