"""Jobs by the million, by SQL: copies of one that has ended, each with its picture."""

from uuid import UUID

from django.db import connection, models, transaction

# A UUIDv7 of so many tenths of a second ago, different for each number and kind of row.
_ID = """(lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint - ({count} - i) * 100), 12, '0')
    || '7' || lpad(to_hex(i & 4095), 3, '0') || '{kind}' || lpad(to_hex(i), 15, '0'))::uuid"""


def jobs_fill(*, template: UUID, count: int) -> None:
    """Add `count` copies of the job `template`. Triggers and foreign keys are not asked."""
    from jobs.models import Job, Picture

    job, picture = (_ID.format(count=count, kind=kind) for kind in "89")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        _copy(Job, "template.id = %s", {"id": job}, count, template)
        own = {"id": picture, "job_id": job}
        _copy(Picture, "template.job_id = %s AND index = 0", own, count, template)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE jobs_job, jobs_picture")


def _copy(
    model: type[models.Model], which: str, own: dict[str, str], count: int, template: UUID
) -> None:
    columns = [str(field.column) for field in model._meta.concrete_fields]
    values = ", ".join(own.get(column, f'template."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({names}) SELECT {values} "
            f"FROM generate_series(1, {count}) AS i, {model._meta.db_table} AS template "
            f"WHERE {which}",
            [template],
        )
