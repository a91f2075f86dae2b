"""A statement that moves or judges many jobs tells of each, in its own numbers."""

import pytest
from django.db import connection, transaction

from config.rows import rows_insert
from factories import make_job
from jobs.models import Job, JobEvent
from moderation.models import Decision, DecisionAction, DecisionStage

pytestmark = [pytest.mark.services]


def log(job: Job) -> list[tuple[int, str, str]]:
    return list(
        JobEvent.objects.filter(job=job)
        .order_by("sequence")
        .values_list("sequence", "status", "reason")
    )


def decision(job: Job, reason: str) -> Decision:
    return Decision(
        tenant_id=job.tenant_id, job=job, stage=DecisionStage.ALIGN.value, round=1,
        action=DecisionAction.ALLOW.value, reason=reason, explanation="test",
        policy_version_id=job.policy_version_id,
    )  # fmt: skip


@pytest.mark.django_db
def test_jobs_that_move_in_one_statement_are_told_one_by_one() -> None:
    jobs = [make_job() for _ in range(3)]
    still = make_job()
    Job.objects.filter(pk=jobs[0].pk).update(status="aligning")
    both = Job.objects.filter(pk__in=[job.pk for job in (*jobs, still)])
    both.exclude(pk=still.pk).update(status="generating")
    both.update(explanation="nothing moved")
    assert log(jobs[0]) == [(1, "aligning", ""), (2, "generating", "")]
    assert [log(job) for job in (*jobs[1:], still)] == [[(1, "generating", "")]] * 2 + [[]]


@pytest.mark.django_db
def test_decisions_of_one_statement_are_numbered_per_job() -> None:
    first, second = make_job(), make_job()
    rows_insert([decision(first, "a"), decision(second, "b"), decision(first, "c")])
    rows_insert([decision(second, "d")])
    assert log(first) == [(1, "", "a"), (2, "", "c")]
    assert log(second) == [(1, "", "b"), (2, "", "d")]


@pytest.mark.usefixtures("committed")
def test_each_of_them_is_notified() -> None:
    jobs = [make_job(), make_job()]
    listener = connection.get_new_connection(connection.get_connection_params())
    listener.autocommit = True
    try:
        listener.execute("LISTEN job")
        with transaction.atomic():
            Job.objects.filter(pk__in=[job.pk for job in jobs]).update(status="aligning")
        heard = {notice.payload for notice in listener.notifies(timeout=10, stop_after=2)}
    finally:
        listener.close()
    assert heard == {str(job.pk) for job in jobs}
