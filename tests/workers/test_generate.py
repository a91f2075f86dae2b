"""A worker paints with the LoRA weights that a job names, on the miniature pipeline."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from django.db.models.functions import Now
from safetensors.torch import save_file

from ethical_lens.policy import Policy
from ethical_lens.sources import MINI, LoraSource, ModelSources
from factories import make_job, make_tenant
from jobs.claims import stage_finish
from jobs.models import Job, PictureVersion
from sent_pictures import harmless
from workers import loading
from workers.generate import jobs_paint
from workers.leasing import stages_run

pytestmark = [pytest.mark.services, pytest.mark.models, pytest.mark.django_db]

INK = "ink"


@pytest.fixture
def lora_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Strong random weights on the miniature network, as LoRA weights of this installation."""
    loading.painter.cache_clear()
    sources = ModelSources.read(MINI)
    file = tmp_path / "ink.safetensors"
    network = loading.painter(MINI)._pipeline.unet
    state, generator = {}, torch.Generator().manual_seed(1)
    for name, layer in network.named_modules():
        if isinstance(layer, torch.nn.Linear) and name.endswith(("to_q", "to_v")):
            state[f"unet.{name}.lora_A.weight"] = torch.randn(
                2, layer.in_features, generator=generator
            )
            state[f"unet.{name}.lora_B.weight"] = torch.randn(
                layer.out_features, 2, generator=generator
            )
    save_file(state, file)
    with_lora = sources.model_copy(update={"loras": {INK: LoraSource(source=str(file))}})
    monkeypatch.setattr(loading, "sources", lambda: with_lora)
    loading.painter.cache_clear()
    yield file
    loading.painter.cache_clear()
    loading.lora_digest.cache_clear()


def painted(lora: str, **changes: object) -> PictureVersion:
    """The picture of a job that names `lora`, painted by the worker's code."""
    job = make_job(make_tenant(Policy(loras=(INK,))), lora=lora, steps=2, **changes)
    Job.objects.filter(pk=job.pk).update(admitted_at=Now())
    job.pictures.update(prompt="a doctor in an office")
    for stage in job.stages.filter(stage__in=["align", "inspect"]).order_by("position"):
        stages_run(
            [str(stage.id)],
            lambda claims: stage_finish(claim=claims[0], record=lambda _: None),
        )
    stages_run([str(job.stages.get(stage="generate").id)], jobs_paint)
    return PictureVersion.objects.get(picture__job=job)


def test_a_job_with_a_lora_is_painted_with_it_and_the_next_without(lora_file: Path) -> None:
    before, inked, after = painted(""), painted(INK), painted("")

    assert before.sha256 == after.sha256
    assert inked.sha256 != before.sha256
    digest = hashlib.sha256(lora_file.read_bytes()).hexdigest()
    assert inked.model_digests["lora"] == f"sha256:{digest}"
    assert "lora" not in after.model_digests


def test_what_is_painted_on_a_picture_that_was_sent_has_its_lora_too(lora_file: Path) -> None:
    sent = {"picture": harmless(), "strength": 0.75}
    before, inked, after = painted("", **sent), painted(INK, **sent), painted("", **sent)

    assert before.sha256 == after.sha256
    assert inked.sha256 != before.sha256
    assert inked.model_digests["lora"].startswith("sha256:")
