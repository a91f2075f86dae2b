"""A job run again with what it was run with: seed, policy version, draws; and what differs then."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from math import isclose
from typing import Any, Final

from django.conf import settings

from accounts.models import APIKey
from ethical_lens.sources import LoraSource
from jobs.models import Job, Picture, PictureVersion, SentPicture
from jobs.quotas import priority_limit
from jobs.services import job_enter
from jobs.states import JobStatus
from jobs.storage import ObjectMissing, object_get
from jobs.uploads import Sent, Upload, connection_release, uploaded
from moderation.models import DecisionAction, DecisionStage

SCORES_DIFFER_FROM: Final = 1e-3
"""Less is rounding: pictures are encoded in batches of whatever size there was."""

_REPEATED: Final = (
    "policy_version_id", "prompt", "negative_prompt", "model", "lora", "n", "width", "height",
    "steps", "guidance_scale", "strength", "seed",
)  # fmt: skip
_ENDS: Final = {JobStatus.SUCCEEDED, JobStatus.BLOCKED, JobStatus.FAILED}


class CannotBeReplayed(Exception):
    """The job cannot be run again as it was, for the reason told; nothing was written."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What of a job, or of one of its pictures by index, came out otherwise in its replay."""

    picture: int | None
    what: str
    before: Any
    after: Any


_WORDS: Final = frozenset({"text.prompt", "text.negative_prompt", "prompt"})
"""What an erased job has no more, so that nothing can be said of it."""


@contextmanager
def replay_prepared(job: Job) -> Iterator[Upload]:
    """What was sent with `job`, stored a second time for a job that repeats it: outside of its
    transaction, as `uploaded`. Raises `CannotBeReplayed`, and `StorageError`."""
    _check(job)
    sent = list(job.sent.all())
    connection_release()
    with uploaded([_sent_with(one) for one in sent]) as upload:
        yield upload


def job_replay(*, job: Job, api_key: APIKey, upload: Upload | None = None) -> Job:
    """Submit `job` once more for the key's tenant, as a new job under the same policy version.

    The attributes that were drawn are repeated; no deck is touched. What was sent to be painted on
    is judged and painted on again; `upload` is that of `replay_prepared`, where the caller has it.
    Raises `CannotBeReplayed`, and as `job_submit` does: the policy that holds now must still let
    the tenant use the model.
    """
    with nullcontext(upload) if upload else replay_prepared(job) as stored:
        draws = [picture.draws for picture in job.pictures.order_by("index")]
        again = Job(
            id=stored.job_id,
            tenant=api_key.tenant,
            replay_of=job,
            **{name: getattr(job, name) for name in _REPEATED},
        )
        job_enter(
            job=again,
            priority=min(job.priority, priority_limit(api_key)),
            api_key=api_key,
            draws=draws,
            sent=stored.sent,
        )
    return again


def _check(job: Job) -> None:
    """Raises `CannotBeReplayed`."""
    if job.status not in _ENDS:
        raise CannotBeReplayed(f"It is {job.status}; only what was run to its end can be repeated.")
    if job.erased_at is not None:
        raise CannotBeReplayed("Its prompt was erased after the retention of its policy.")
    if job.scrutiny_alone:
        raise CannotBeReplayed("It judged what was sent with it; send that again.")
    if job.text_verdict is None:
        raise CannotBeReplayed("Its prompt never had a verdict, so there is nothing to repeat.")
    if job.model not in settings.DIFFUSION_MODELS:
        raise CannotBeReplayed(f"Its model {job.model} is not there any more.")
    lora: LoraSource | None = settings.LORAS.get(job.lora)
    if job.lora and (lora is None or not lora.fits(job.model)):
        raise CannotBeReplayed(f"Its LoRA weights {job.lora} are not there any more.")
    if (
        job.decisions.filter(stage=DecisionStage.REVIEW)
        .exclude(action__in=[DecisionAction.ALLOW, DecisionAction.RELEASE, DecisionAction.REVIEW])
        .exists()
    ):
        # What a person has stopped is not let out by the models that had let it pass.
        raise CannotBeReplayed("A moderator stopped something of it.")


def _sent_with(picture: SentPicture) -> Sent:
    """What was sent, to be kept a second time: each is deleted with its own job."""
    try:
        content = object_get(picture.key, sha256=picture.sha256)
    except ObjectMissing as error:
        raise CannotBeReplayed(
            f"The {picture.get_role_display().lower()} that was sent with it is not kept any "
            "more; send it again with a new request."
        ) from error
    return SentPicture.Role(picture.role), content


def replay_differences(replay: Job) -> list[Difference]:
    """What came out otherwise than in the job that `replay` repeats; empty: nothing."""
    original = replay.replay_of
    assert original is not None, "it repeats a job"
    found = list(_differing(None, _of_job(original), _of_job(replay)))
    pictures = zip(_pictures(original), _pictures(replay), strict=True)
    for before, after in pictures:
        found += _differing(before.index, _of_picture(before), _of_picture(after))
    if original.erased_at or replay.erased_at:
        return [one for one in found if one.what not in _WORDS]
    return found


def _of_job(job: Job) -> dict[str, Any]:
    """What is compared of a job, by name."""
    verdict = job.text_verdict or {}
    said = {
        f"text.{name}": sorted(value) if isinstance(value, list) else value
        for name in ("labels", "factors", "score", "prompt", "negative_prompt")
        if (value := verdict.get(name)) is not None
    }
    for picture in job.sent.all():
        sent = f"sent.{picture.index}"
        said |= {f"{sent}.{name}": value for name, value in _of_verdict(picture.verdict).items()}
    return {"status": job.status, "reason": job.reason} | said | _model_digests(job)


def _of_picture(picture: Picture) -> dict[str, Any]:
    return {
        "status": picture.status,
        "reason": picture.reason,
        "round": picture.round,
        "prompt": picture.prompt,
        "draws": picture.draws or [],
        "sha256": picture.current.sha256 if picture.current else None,
    } | _of_verdict(picture.current.verdict if picture.current else None)


def _of_verdict(verdict: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is compared of a `PictureVerdict`, as it is stored."""
    said = verdict or {}
    return {
        "action": said.get("action"),
        "findings": sorted(finding["concept"] for finding in said.get("findings", ())),
    } | {f"scores.{name}": score for name, score in said.get("scores", {}).items()}


def _model_digests(job: Job) -> dict[str, str]:
    """The digest of each model that took part, by stage and name; the last one where it changed."""
    used = [
        (decision.stage, decision.model_digests) for decision in job.decisions.order_by("id")
    ] + [
        ("generate", version.model_digests)
        for version in PictureVersion.objects.filter(picture__job=job).order_by("id")
    ]
    return {
        f"models.{stage}.{name}": digest
        for stage, digests in used
        for name, digest in digests.items()
    }


def _pictures(job: Job) -> list[Picture]:
    return list(job.pictures.select_related("current").order_by("index"))


def _differing(
    picture: int | None, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Difference]:
    for what in [*before, *(name for name in after if name not in before)]:
        if not _same(before.get(what), after.get(what)):
            yield Difference(picture, what, before.get(what), after.get(what))


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, float) and isinstance(after, float):
        return isclose(before, after, rel_tol=0, abs_tol=SCORES_DIFFER_FROM)
    return bool(before == after)
