"""A policy in the browser: written field by field, published by a second person, asked what if."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from browsing import Desk
from ethical_lens.results import Concept, PictureAction
from policies.models import PolicyDraft
from review_cases import judged_job, make_user


@pytest.mark.usefixtures("committed")
def test_a_draft_is_written_published_by_a_second_person_and_asked_what_if(
    desk: Callable[..., Desk],
) -> None:
    job = judged_job(PictureAction.RELEASE, PictureAction.RELEASE)
    policy = job.policy_version.policy
    author, second = (make_user(group="Policy authors") for _ in range(2))
    writing = desk(author)
    page = writing.page
    page.goto(f"/admin/policies/policydraft/add/?policy={policy.pk}")
    page.locator("[name=note]").fill("a stricter head")
    page.locator("[name=concepts__nude__threshold]").fill("1.5")
    writing.screenshot("policy-draft-form")
    page.locator("[name=_save]").first.click()
    expect(page.locator("[name=concepts__nude__threshold]")).to_have_js_property(
        "validity.rangeOverflow", True
    )
    page.locator("[name=concepts__nude__threshold]").fill("0.2")
    page.locator("[name=targets__gender]").fill("female 60, male 30")
    page.locator("[name=_save]").first.click()
    expect(page.get_by_text("the shares make 90 percent")).to_be_visible()
    writing.screenshot("policy-draft-refused")
    page.locator("[name=targets__gender]").fill("female 60, male 40")
    page.locator("[name=_save]").first.click()
    expect(page).to_have_url(re.compile("/policydraft/$"))
    draft = PolicyDraft.objects.get(policy=policy)

    address = f"/admin/policies/policydraft/{draft.pk}/change/"
    page.goto(address)
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("somebody else must publish it")).to_be_visible()
    other = desk(second)
    other.page.goto(address)
    other.page.get_by_role("button", name="Publish").click()
    expect(other.page.get_by_text("Published as")).to_be_visible()
    other.screenshot("policy-published")
    version = policy.versions.get(number=2)
    assert version.parsed.concepts[Concept.NUDE].threshold == 0.2
    assert version.parsed.targets.gender == {"female": 60, "male": 40}

    other.page.goto("/admin/policies/what-if/")
    other.page.locator("[name=policy]").select_option(str(version.pk))
    other.page.locator("[name=tenant]").select_option(str(job.tenant_id))
    other.page.get_by_role("button", name="Ask").click()
    expect(other.page.get_by_text("2 of 2 would be something else")).to_be_visible()
    other.screenshot("what-if")
    with other.page.expect_download() as download:
        other.page.get_by_role("link", name="All changes as CSV").click()
    rows = download.value.path().read_text().splitlines()
    assert len(rows) == 3, rows
