"""Jobs that stopped where a person must look: real bytes in the store, recorded by the pipeline's
own functions."""

import io
import secrets
from collections.abc import Sequence

import numpy as np
from django.contrib.auth.models import Group, Permission
from django.db.models.functions import Now
from PIL import Image

from accounts.models import Tenant, User
from ethical_lens.policy import Policy
from ethical_lens.results import (
    Alignment,
    Concept,
    Factor,
    Label,
    PictureAction,
    PicturePrompt,
    PictureVerdict,
    TextVerdict,
)
from factories import make_job, make_tenant
from jobs.claims import Claim, stage_claim
from jobs.models import Job, Outbox, Picture
from jobs.recording.alignment import Aligned, alignment_finish, prompt_hold
from jobs.recording.painting import PaintedPicture, painting_finish
from jobs.recording.release import pictures_to_release, release_finish
from jobs.recording.scrutiny import ScrutinisedPicture, scrutiny_finish
from jobs.storage import object_get, quarantine_put, release_copy
from moderation.policies import policy_of_version

SCORES = {
    Concept.NSFW: 0.83,
    Concept.POLITIC: 0.02,
    Concept.CULTURE: 0.11,
    Concept.NUDE: 0.31,
    Concept.PUBLIC: 0.07,
}


def make_user(*permissions: str, group: str = "", **fields: object) -> User:
    """A member of staff with these permissions, e.g. `jobs.view_picture`, and of this group."""
    name = f"user-{secrets.token_hex(4)}"
    user = User.objects.create_user(name, is_staff=True, **fields)  # type: ignore[arg-type]
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    if group:
        user.groups.add(Group.objects.get(name=group))
    return user


def png(seed: int = 0, side: int = 64) -> bytes:
    """A picture of 16 x 16 tiles in random colours: edges everywhere."""
    tiles = np.random.default_rng(seed).integers(0, 255, (16, 16, 3), dtype=np.uint8)
    picture = Image.fromarray(tiles.repeat(side // 16, axis=0).repeat(side // 16, axis=1))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def claimed(job: Job, stage: str) -> Claim:
    run = job.stages.filter(stage=stage, state="ready").get()
    claim = stage_claim(stage_id=run.id, holder="test")
    assert claim is not None
    return claim


def painted_job(n: int = 1, tenant: Tenant | None = None, **changes: object) -> Job:
    """An admitted job whose pictures are painted and wait for scrutiny."""
    return paint(make_job(tenant or make_tenant(Policy()), n=n, **changes))


def align(job: Job) -> Job:
    """The submitted job, admitted, with its prompt judged: its pictures are to be painted."""
    Job.objects.filter(pk=job.pk).update(admitted_at=Now())
    Outbox.objects.filter(job=job).delete()
    verdict = TextVerdict(
        labels=frozenset({Label.K0}), score=0.1, explanation="Nothing found.", prompt=job.prompt
    )
    prompts = tuple(PicturePrompt(prompt=f"{job.prompt}, smiling") for _ in range(job.n))
    alignment = Alignment(verdict=verdict, pictures=prompts)
    policy = policy_of_version(job.policy_version_id)
    alignment_finish({claimed(job, "align"): Aligned(alignment, {"rules": "0" * 64}, policy)})
    return job


def paint(job: Job) -> Job:
    """The submitted job, with its pictures painted."""
    align(job)
    painted = [
        PaintedPicture(
            picture_id=picture.id,
            prompt=picture.prompt,
            stored=quarantine_put(
                job_id=job.id, picture_id=picture.id, round=1, png=png(picture.index)
            ),
        )
        for picture in job.pictures.all()
    ]
    painting_finish({claimed(job, "generate"): painted}, model_digests={"unet": "1" * 64})
    return job


def judged_job(
    *actions: PictureAction, reason: str = "test", pdq: bytes | None = None, **changes: object
) -> Job:
    """A job whose pictures got these verdicts, all with that hash, and that went on to its
    release."""
    return judge(painted_job(n=len(actions), **changes), *actions, reason=reason, pdq=pdq)


def judge(job: Job, *actions: PictureAction, reason: str = "test", pdq: bytes | None = None) -> Job:
    """The painted job, judged, and gone on to its release."""
    scrutinised = [
        ScrutinisedPicture(
            picture_id=picture.id,
            verdict=PictureVerdict(
                action=action, reason=reason, explanation=f"It says {action}.", scores=SCORES
            ),
            pdq=pdq,
        )
        for picture, action in zip(job.pictures.all(), actions, strict=True)
    ]
    scrutiny_finish({claimed(job, "scrutinise"): scrutinised}, model_digests={"head": "2" * 64})
    release_run(job)
    return job


def blocked_prompt(tenant: Tenant) -> Job:
    """A job of `tenant` that ended at its prompt."""
    job = make_job(tenant, prompt="a prompt that was refused")
    verdict = TextVerdict(
        labels=frozenset({Label.K3}), factors=frozenset({Factor.VIOLENCE}), score=0.93,
        explanation="It calls for violence.", prompt=job.prompt,
    )  # fmt: skip
    aligned = Aligned(Alignment(verdict=verdict), {"rules": "0"}, Policy())
    alignment_finish({claimed(job, "align"): aligned})
    return job


def release_run(job: Job) -> None:
    """What the release worker does: copy what is cleared, then record it."""
    job.stages.filter(stage="release", state="ready").update(ready_at=job.created_at)
    claim = claimed(job, "release")
    keys = {}
    for picture in pictures_to_release([job.id]):
        object_get(picture.key, sha256=picture.sha256)
        keys[picture.id] = release_copy(
            source=picture.key, job_id=job.id, picture_id=picture.id, sha256=picture.sha256
        )
    release_finish({claim: keys})
    job.refresh_from_db()


def reviewed_picture(actions: Sequence[PictureAction] = (PictureAction.REVIEW,)) -> Picture:
    """The first picture of a job that is held because of it."""
    job = judged_job(*actions)
    return job.pictures.select_related("current", "job").get(index=0)


def held_job() -> Job:
    """A job that was held at its prompt."""
    job = make_job(prompt="a doctor nobody could judge")
    prompt_hold(
        claim=claimed(job, "align"), reason="align_unreadable", explanation="No verdict came."
    )
    job.refresh_from_db()
    return job
