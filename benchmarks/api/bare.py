"""The least an API of this kind can do: a django-ninja view that inserts one row.

Served as `benchmarks.api.bare:application`, on the same database, through the same connection pool.
"""

import os
from typing import Any

import django
from django.conf import settings

os.environ["DATABASE_POOL_SIZE"] = os.environ.get("DATABASE_POOL_SIZE") or "10"

from config.environment import read_environment

settings.configure(
    SECRET_KEY=os.environ["SECRET_KEY"],
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[],
    DATABASES={"default": read_environment().database},
)
django.setup()

from django.core.handlers.asgi import ASGIHandler  # noqa: E402
from django.db import models  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from django.urls import path  # noqa: E402
from ninja import NinjaAPI, Schema, Status  # noqa: E402


class Row(models.Model):
    prompt = models.TextField()

    class Meta:
        app_label = "bare"
        db_table = "bench_row"


class RowIn(Schema):
    prompt: str


class RowOut(Schema):
    id: int
    prompt: str


api = NinjaAPI(docs_url=None, openapi_url=None)


@api.post("/rows", response={202: RowOut})
def insert(request: HttpRequest, row: RowIn) -> Status[Any]:
    inserted = Row(prompt=row.prompt)
    inserted.save(force_insert=True)
    return Status(202, inserted)


urlpatterns = [path("", api.urls)]
application = ASGIHandler()
