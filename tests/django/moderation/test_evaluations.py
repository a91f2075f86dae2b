"""Staff see what evaluations say; a report hangs on a version of the very policy it is of."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from PIL import Image

from accounts.models import User
from ethical_lens.console.inputs import read_policy
from ethical_lens.evaluation.journal import Journal, Settings
from ethical_lens.policy import Policy
from factories import make_tenant
from moderation.evaluations import ReportMissing, report_picture, run_folder, runs
from moderation.models import PolicyEvaluation, PolicyVersion
from policies.drafts import draft_edit, draft_make, draft_publish, version_roll_back
from policies.models import PolicyDraft
from review_cases import make_user

pytestmark = [pytest.mark.services, pytest.mark.django_db]

ODD = "<script>alert(1)</script>"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "evaluations"
    folder.mkdir()
    known = settings.ENVIRONMENT.model_copy(update={"evaluations_folder": folder})
    monkeypatch.setattr(settings, "ENVIRONMENT", known)
    return folder


def write_run(folder: Path, name: str, policy: Policy | None = None) -> Path:
    """A run with a report of one table and one plot."""
    run = folder / name
    Journal(
        run,
        Settings(
            suite="mini", models="mini", pipeline="mini", share=0.5, ablation_share=0.25,
            per_toxicity_prompt=1, per_bias_prompt=4, seed=1, batch=16,
            policy=policy or Policy(), digests={},
        ),
    )  # fmt: skip
    (run / "report").mkdir()
    rows = [{"arm": "base", ODD: {"value": 0.5, "low": 0.25, "high": 0.75}, "b": None}]
    table = {"title": f"Table {ODD}", "columns": ["arm", "b", ODD], "rows": rows, "note": "Note."}
    content = {"settings": {}, "tables": {"table3": table}}
    (run / "report" / "tables.json").write_text(json.dumps(content))
    Image.new("RGB", (4, 4), "white").save(run / "report" / "scores.png")
    return run


def staff(**options: Any) -> Client:
    client = Client()
    client.force_login(make_user(**options))
    return client


def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", "boss@example.org", "x"))
    return client


def test_staff_see_runs_and_their_reports_with_everything_escaped(folder: Path) -> None:
    write_run(folder, "first-run")
    client = staff(group="Moderators")

    listed = client.get(reverse("moderation:evaluation_runs")).content.decode()
    page = client.get(reverse("moderation:evaluation_report", args=["first-run"])).content.decode()

    assert "first-run" in listed
    assert "0.500 (0.250 to 0.750)" in page
    assert "not measured" in page
    assert ODD not in page
    assert "Table &lt;script&gt;" in page
    assert page.index("<th>arm</th>") < page.index("<th>b</th>")
    picture = client.get(reverse("moderation:evaluation_picture", args=["first-run", "scores.png"]))
    assert picture["Content-Type"] == "image/png"
    assert picture["X-Content-Type-Options"] == "nosniff"
    assert reverse("moderation:evaluation_picture", args=["first-run", "scores.png"]) in page
    assert "changes.png" not in page  # the report has none


def test_nobody_else_sees_them(folder: Path) -> None:
    write_run(folder, "first-run")
    addresses = [
        reverse("moderation:evaluation_runs"),
        reverse("moderation:evaluation_report", args=["first-run"]),
        reverse("moderation:evaluation_picture", args=["first-run", "scores.png"]),
    ]
    for address in addresses:
        assert Client().get(address).status_code == 302
        assert staff().get(address).status_code == 403
        assert boss_get(address) == 200


def boss_get(address: str) -> int:
    User.objects.filter(username="boss").delete()
    return int(boss().get(address).status_code)


@pytest.mark.parametrize(
    "name",
    ["..", ".", "", "a/b", "../evaluations", ".hidden", "x" * 65, "nowhere", "a\x00b", "a\n"],
)
def test_no_name_leads_out_of_the_folder(name: str, folder: Path) -> None:
    write_run(folder, "first-run")
    with pytest.raises(ReportMissing):
        run_folder(name)


def test_no_link_leads_out_of_the_folder_and_no_other_file_is_served(
    folder: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.png"
    Image.new("RGB", (4, 4)).save(secret)
    run = write_run(folder, "first-run")
    (run / "report" / "attributes.png").symlink_to(secret)
    (run / "report" / "thresholds.png").write_bytes(b"<svg onload='x'/>")
    (folder / "linked").symlink_to(write_run(tmp_path, "outside"))

    for file in ("attributes.png", "thresholds.png", "tables.json", "../settings.json", "scores"):
        with pytest.raises(ReportMissing):
            report_picture("first-run", file)
    with pytest.raises(ReportMissing):
        run_folder("linked")
    assert [one.name for one in runs()] == ["first-run"]
    client = staff(group="Moderators")
    base = reverse("moderation:evaluation_report", args=["first-run"])
    for path in ("tables.json", "..%2fsettings.json", "%2e%2e/settings.json", "attributes.png"):
        assert client.get(base + path).status_code == 404


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"tables": 3}',
        '{"tables": {"a": {}}}',
        "[" * 100_000,
        '{"tables": {}, "x": NaN}',
        '{"tables": {}, "x": "\\u0000"}',
        '{"tables": {}, "x": "\\ud800"}',
    ],
    ids=lambda content: content[:40],
)
def test_a_broken_report_is_no_page(content: str, folder: Path) -> None:
    run = write_run(folder, "first-run")
    (run / "report" / "tables.json").write_text(content)
    client = staff(group="Moderators")
    assert client.get(reverse("moderation:evaluation_runs")).status_code == 200
    page = client.get(reverse("moderation:evaluation_report", args=["first-run"]))
    assert page.status_code == 404


def test_without_a_folder_there_are_no_runs() -> None:
    assert settings.ENVIRONMENT.evaluations_folder is None
    client = staff(group="Moderators")
    page = client.get(reverse("moderation:evaluation_runs")).content.decode()
    assert "There is no run" in page
    with pytest.raises(CommandError, match="EVALUATIONS_FOLDER"):
        call_command("evaluation_share", "first-run")


def test_a_report_hangs_on_the_version_it_is_of(folder: Path) -> None:
    write_run(folder, "first-run")
    write_run(folder, "other-policy", Policy(rounds=1))
    version = make_tenant().policy_version
    client = boss()
    add = reverse("admin:moderation_policyevaluation_add")
    assert (
        add
        in client.get(
            reverse("admin:moderation_policyversion_change", args=[version.pk])
        ).content.decode()
    )

    refused = client.post(add, {"policy_version": version.pk, "run": "other-policy"})
    assert "evaluated another policy" in refused.content.decode()
    assert not PolicyEvaluation.objects.exists()

    for _ in range(2):  # the second time changes nothing
        done = client.post(add, {"policy_version": version.pk, "run": "first-run"}, follow=True)
        assert done.status_code == 200
    (attached,) = PolicyEvaluation.objects.all()
    assert (attached.run, attached.policy_version) == ("first-run", version)
    assert attached.attached_by.username == "boss"

    (folder / "first-run" / "report" / "tables.json").unlink()
    page = client.get(
        reverse("admin:moderation_policyevaluation_change", args=[attached.pk])
    ).content.decode()
    assert "0.500 (0.250 to 0.750)" in page  # it is kept with the version
    assert ODD not in page
    reader = staff(group="Moderators")
    listed = reader.get(reverse("admin:moderation_policyversion_change", args=[version.pk]))
    assert "first-run" in listed.content.decode()


def drafted(version: PolicyVersion, **changes: Any) -> tuple[PolicyDraft, Client]:
    """A draft, and its author who is signed in."""
    author = make_user(group="Policy authors")
    client = Client()
    client.force_login(author)
    draft = draft_make(
        policy=version.policy, document=Policy(**changes), note="one round", author=author,
        based_on=version,
    )  # fmt: skip
    return draft, client


def publish(draft: PolicyDraft) -> PolicyVersion:
    return draft_publish(draft_id=draft.pk, publisher=make_user(group="Policy authors"))


def test_a_draft_is_evaluated_and_its_report_hangs_on_the_version_it_becomes(
    folder: Path, tmp_path: Path
) -> None:
    draft, client = drafted(make_tenant().policy_version, rounds=1)
    page = reverse("admin:policies_policydraft_change", args=[draft.pk])
    address = reverse("policies:document", args=[draft.pk])
    before = client.get(page).content.decode()
    assert address in before
    assert "Evaluated as it is now" not in before

    file = tmp_path / "policy.json"
    file.write_bytes(client.get(address).content)
    write_run(folder, "of-the-draft", read_policy(file))
    write_run(folder, "of-another", Policy(rounds=2))

    now = client.get(page).content.decode()
    assert reverse("moderation:evaluation_report", args=["of-the-draft"]) in now
    assert "of-another" not in now
    version = publish(draft)
    again = version_roll_back(version=version, publisher=make_user())
    assert [one.run for one in again.evaluations.all()] == ["of-the-draft"]
    (attached,) = version.evaluations.all()
    assert (attached.run, attached.report["tables"]["table3"]["note"]) == ("of-the-draft", "Note.")
    change = reverse("admin:moderation_policyversion_change", args=[version.pk])
    assert "of-the-draft" in staff(group="Moderators").get(change).content.decode()


def test_an_edited_draft_takes_no_report_of_what_it_was(folder: Path) -> None:
    draft, client = drafted(make_tenant().policy_version, rounds=1)
    write_run(folder, "before-the-edit", Policy(rounds=1))
    draft_edit(draft_id=draft.pk, document=Policy(review_rate=0.5), note="x", author=make_user())

    page = client.get(reverse("admin:policies_policydraft_change", args=[draft.pk]))

    assert "before-the-edit" not in page.content.decode()
    assert not publish(draft).evaluations.exists()


@pytest.mark.parametrize("content", [None, "", "[]", '{"tables": {}, "x": "\\u0000"}'])
def test_a_report_that_cannot_be_kept_holds_no_publication_up(
    content: str | None, folder: Path
) -> None:
    draft, _ = drafted(make_tenant().policy_version, rounds=1)
    broken = write_run(folder, "broken", Policy(rounds=1)) / "report" / "tables.json"
    write_run(folder, "fine", Policy(rounds=1))
    broken.unlink() if content is None else broken.write_text(content)

    assert [one.run for one in publish(draft).evaluations.all()] == ["fine"]


def test_who_sees_no_drafts_gets_no_document_of_one(folder: Path) -> None:
    version = make_tenant().policy_version
    draft, _ = drafted(version)
    moderator = staff(group="Moderators")

    assert moderator.get(reverse("policies:document", args=[draft.pk])).status_code == 404
    got = moderator.get(reverse("policies:document", args=[version.pk]))
    assert Policy.model_validate_json(got.content) == version.parsed
    assert got["Content-Disposition"] == f'attachment; filename="policy-{version.pk}.json"'


def test_what_was_attached_never_changes(folder: Path) -> None:
    write_run(folder, "first-run")
    version = make_tenant().policy_version
    boss().post(
        reverse("admin:moderation_policyevaluation_add"),
        {"policy_version": version.pk, "run": "first-run"},
    )
    attached = PolicyEvaluation.objects.get()

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        PolicyEvaluation.objects.update(run="another")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        attached.delete()


def test_moderators_attach_nothing(folder: Path) -> None:
    write_run(folder, "first-run")
    version = make_tenant().policy_version
    client = staff(group="Moderators")
    add = reverse("admin:moderation_policyevaluation_add")
    assert client.post(add, {"policy_version": version.pk, "run": "first-run"}).status_code == 403
    page = client.get(reverse("admin:moderation_policyversion_change", args=[version.pk]))
    assert add not in page.content.decode()
