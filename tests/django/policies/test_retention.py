"""What was not released is kept for the time that its policy says."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ethical_lens.policy import Policy
from ethical_lens.results import PictureAction
from jobs.models import Job
from jobs.storage import ObjectMissing, object_get
from moderation.appeals import appeals_open
from policies.models import ErasedPicture
from policies.retention import unreleased_forget
from review_cases import judged_job

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def under(policy: Policy, *actions: PictureAction) -> Job:
    """A job under `policy` that was released or stopped."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("review_cases.Policy", lambda: policy)
        return judged_job(*actions)


def test_what_was_not_released_is_forgotten_after_its_time() -> None:
    job = under(Policy(retention_days=3), PictureAction.BLOCK, PictureAction.RELEASE)
    blocked, released = job.pictures.select_related("current").order_by("index")
    assert blocked.current
    assert released.current

    unreleased_forget()
    assert object_get(blocked.current.key, sha256=blocked.current.sha256), "it is not yet due"
    Job.objects.filter(pk=job.pk).update(ended_at=timezone.now() - timedelta(days=3, minutes=1))
    unreleased_forget()

    with pytest.raises(ObjectMissing):
        object_get(blocked.current.key, sha256=blocked.current.sha256)
    assert object_get(released.current.key, sha256=released.current.sha256)
    assert ErasedPicture.objects.get(version__picture__job=job).version == blocked.current
    assert job.decisions.filter(picture=blocked).exists(), "the record stays"
    assert unreleased_forget() == 0, "it is done once"


def test_an_open_appeal_keeps_what_it_is_about() -> None:
    job = under(Policy(retention_days=1), PictureAction.BLOCK)
    appeals_open(job_id=job.pk, statement="It is a museum piece.")
    Job.objects.filter(pk=job.pk).update(ended_at=timezone.now() - timedelta(days=9))

    unreleased_forget()

    assert not ErasedPicture.objects.filter(version__picture__job=job).exists()


def test_without_a_time_everything_is_kept() -> None:
    job = under(Policy(), PictureAction.BLOCK)
    Job.objects.filter(pk=job.pk).update(ended_at=timezone.now() - timedelta(days=3000))

    unreleased_forget()

    assert not ErasedPicture.objects.filter(version__picture__job=job).exists()
