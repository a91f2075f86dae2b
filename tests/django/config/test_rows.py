"""Rows are written in one statement, with the columns and the checks of their models."""

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from config.rows import rows_insert, rows_read, rows_update, statements_together
from factories import make_job
from jobs.models import Job, Picture, PictureVersion
from webhooks.models import Event

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def version(picture: Picture, round: int = 1) -> PictureVersion:
    return PictureVersion(
        picture=picture, round=round, kind="painted", prompt="a prompt", key="quarantine/x",
        sha256="0" * 64, size=1, model_digests={"unet": "1"},
    )  # fmt: skip


def event(job: Job, type: str, sequence: int) -> Event:
    return Event(tenant_id=job.tenant_id, job=job, type=type, sequence=sequence, data={"a": [1]})


def test_rows_of_several_models_are_inserted_by_one_statement() -> None:
    job = make_job(n=2)
    rows = [*map(version, job.pictures.all()), event(job, "job.needs_review", 1)]
    with CaptureQueriesContext(connection) as seen:
        rows_insert(rows)
    assert len(seen) == 1
    stored = PictureVersion.objects.get(pk=rows[0].pk)
    assert (stored.model_digests, stored.verdict) == ({"unet": "1"}, None)
    assert stored.created_at is not None
    assert Event.objects.get(job=job).data == {"a": [1]}
    stored.save()
    rows[1].save()  # known as stored: an update, not a second insert


def insert_together(picture: Picture, *rounds: int) -> None:
    with transaction.atomic(), statements_together():
        for round in rounds:
            rows_insert([version(picture, round)])


def test_statements_that_go_together_are_those_of_the_transaction() -> None:
    picture = make_job().pictures.get()
    sql = "SELECT round FROM jobs_pictureversion WHERE picture_id = %s ORDER BY round"
    with transaction.atomic(), statements_together():
        rows_insert([version(picture, 1)])
        rows_insert([version(picture, 2)])
        assert rows_read(int, sql, [picture.pk]) == [1, 2]
    with pytest.raises(IntegrityError):
        insert_together(picture, 3, 1)
    assert set(picture.versions.values_list("round", flat=True)) == {1, 2}, "all or nothing"


def test_constraints_hold() -> None:
    job = make_job()
    rows_insert([event(job, "job.failed", 1)])
    with pytest.raises(IntegrityError), transaction.atomic():
        rows_insert([event(job, "job.canceled", 2)])


def test_rows_are_updated_by_one_statement() -> None:
    job = make_job(n=3)
    pictures = list(job.pictures.all())
    for picture in pictures:
        picture.prompt, picture.draws = f"picture {picture.index}", [{"gender": "female"}]
        picture.seed = 11
    with CaptureQueriesContext(connection) as seen:
        assert rows_update(pictures, "prompt", "draws") == 3
    assert len(seen) == 1
    again = list(job.pictures.all())
    assert [p.prompt for p in again] == ["picture 0", "picture 1", "picture 2"]
    assert again[0].draws == [{"gender": "female"}]
    assert again[0].seed != 11, "only the named fields are written"


def test_a_value_that_is_too_long_is_refused_and_not_cut() -> None:
    picture = make_job().pictures.get()
    picture.reason = "x" * 65
    with pytest.raises(DataError), transaction.atomic():
        rows_update([picture], "reason")


def test_nothing_is_written_for_no_rows() -> None:
    with CaptureQueriesContext(connection) as seen:
        rows_insert([])
        assert rows_update([], "reason") == 0
    assert len(seen) == 0


def test_rows_are_read_as_values() -> None:
    job = make_job(n=2)
    found = rows_read(
        lambda index, status: (index, status),
        "SELECT index, status FROM jobs_picture WHERE job_id = %s ORDER BY index",
        [job.id],
    )
    assert found == [(0, "pending"), (1, "pending")]
