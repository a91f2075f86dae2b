"""What is done with drafts and versions of policies beside writing them."""

import csv
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.acts import act_log
from accounts.models import User
from moderation.models import PolicyVersion
from policies.differences import differences
from policies.drafts import draft_make, draft_publish, version_roll_back
from policies.errors import PolicyError
from policies.forms import DifferenceForm, ShadowForm, WhatIfForm
from policies.models import PolicyDraft, PolicyShadow
from policies.shadow import comparison_of, shadow_end, shadow_start
from policies.what_if import CSV_HEADER, what_if, what_if_rows

AUTHOR, PUBLISH = "policies.author_policy", "policies.publish_policy"
WHAT_IF = "policies.run_what_if"


@require_POST
@permission_required(AUTHOR, raise_exception=True)
def policy_copy(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """A new draft with the document of a version or of a draft."""
    source = _document(source_id)
    version = source if isinstance(source, PolicyVersion) else source.based_on
    draft = draft_make(
        policy=source.policy, document=source.parsed, note=f"copy of {source}"[:200],
        author=_user(request), based_on=version,
    )  # fmt: skip
    act_log(by=_user(request), of=PolicyDraft, about=str(draft), message=f"Copied from {source}.")
    messages.success(request, "This is a draft: nothing is judged by it.")
    return redirect("admin:policies_policydraft_change", draft.pk)


@require_safe
@permission_required("moderation.view_policyversion", raise_exception=True)
def policy_document(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """What a version or draft says, whole, as a file for `--policy` of the commands."""
    source = _document(source_id)
    if not request.user.has_perm("policies.view_policydraft"):
        source = _published(source)
    text = json.dumps(source.parsed.model_dump(mode="json"), ensure_ascii=False, indent=2)
    return HttpResponse(
        text + "\n",
        content_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="policy-{source.pk}.json"',
            "Cache-Control": "no-store",
        },
    )


@require_POST
@permission_required(PUBLISH, raise_exception=True)
def policy_publish(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    """The draft becomes the next version of its policy."""
    draft = get_object_or_404(PolicyDraft, pk=draft_id)
    try:
        version = draft_publish(draft_id=draft.pk, publisher=_user(request))
    except PolicyError as error:
        messages.error(request, f"Nothing was published: {error}.")
        return redirect("admin:policies_policydraft_change", draft.pk)
    _log(request, version, "Published.")
    messages.success(request, f"Published as {version}. Tenants stay on theirs until they get it.")
    return _version_page(version)


@require_POST
@permission_required(PUBLISH, raise_exception=True)
def policy_roll_back(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """An older document is published again."""
    version = get_object_or_404(PolicyVersion, pk=version_id)
    new = version_roll_back(version=version, publisher=_user(request))
    _log(request, new, f"Rolled back to {version}.")
    messages.success(request, f"{new} says what {version} says. Tenants stay until they get it.")
    return _version_page(new)


@require_safe
@permission_required("moderation.view_policyversion", raise_exception=True)
def policy_differences(request: HttpRequest) -> HttpResponse:
    """`?before=` and `?after=`: what two versions or drafts say otherwise."""
    form = DifferenceForm(request.GET)
    if not form.is_valid():
        raise Http404("name two versions or drafts")
    before, after = (_document(form.cleaned_data[name]) for name in ("before", "after"))
    if not request.user.has_perm("policies.view_policydraft"):
        before, after = _published(before), _published(after)
    return _page(
        request, "policies/differences.html", title=f"{before} and {after}",
        before=before, after=after, differences=differences(before.parsed, after.parsed),
    )  # fmt: skip


@require_safe
@permission_required(WHAT_IF, raise_exception=True)
def policy_what_if(request: HttpRequest) -> HttpResponse:
    """`?policy=`: what a version or draft would have decided of the last `?days=`. Without, one is
    to be chosen."""
    form, policy = _what_if_form(request)
    comparison = None
    if policy is not None and form.is_valid():
        tenant = form.cleaned_data["tenant"]
        comparison = what_if(
            policy.parsed, days=form.cleaned_data["days"], tenant=tenant and tenant.pk
        )
    return _page(
        request, "policies/what_if.html",
        title=f"What if {policy} had judged?" if policy else "What if another policy had judged?",
        form=form, comparison=comparison and _shown(comparison), query=request.GET.urlencode(),
    )  # fmt: skip


@require_safe
@permission_required(WHAT_IF, raise_exception=True)
def policy_what_if_csv(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Every prompt and picture that would be something else."""
    form, policy = _what_if_form(request)
    if policy is None or not form.is_valid():
        return HttpResponse(form.errors.as_text(), status=400, content_type="text/plain")
    tenant, days = form.cleaned_data["tenant"], form.cleaned_data["days"]
    act_log(
        by=_user(request), of=type(policy), about=str(policy),
        message=f"What if of {days} days exported: {tenant or 'all tenants'}.",
    )  # fmt: skip
    rows = what_if_rows(policy.parsed, days=days, tenant=tenant and tenant.pk)
    return StreamingHttpResponse(
        _csv(rows),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="what-if-{policy.pk}.csv"',
            "Cache-Control": "no-store",
        },
    )


@require_POST
@permission_required(AUTHOR, raise_exception=True)
def policy_shadow_start(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    """Let a draft judge without acting."""
    draft = get_object_or_404(PolicyDraft, pk=draft_id)
    form = ShadowForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Nothing was started: choose a tenant of the list, or all.")
        return redirect("admin:policies_policydraft_change", draft.pk)
    tenant = form.cleaned_data["tenant"]
    shadow = shadow_start(draft=draft, started_by=_user(request), tenant=tenant)
    _log_shadow(request, shadow, f"Judges in the shadow of {tenant or 'all tenants'}.")
    return redirect("policies:shadow", shadow.pk)


@require_POST
@permission_required(AUTHOR, raise_exception=True)
def policy_shadow_end(request: HttpRequest, shadow_id: UUID) -> HttpResponse:
    """Let it judge no more."""
    shadow = get_object_or_404(PolicyShadow.objects.select_related("draft"), pk=shadow_id)
    if shadow_end(shadow_id=shadow.pk):
        _log_shadow(request, shadow, "Judges in the shadow no more.")
    return redirect("policies:shadow", shadow_id)


@require_safe
@permission_required("policies.view_policyshadow", raise_exception=True)
def policy_shadow(request: HttpRequest, shadow_id: UUID) -> HttpResponse:
    """What a shadow would change of live traffic, with examples."""
    shadow = get_object_or_404(
        PolicyShadow.objects.select_related("draft__policy", "tenant"), pk=shadow_id
    )
    return _page(
        request, "policies/shadow.html", title=f"In the shadow: {shadow.draft}",
        shadow=shadow, comparison=_shown(comparison_of(shadow)),
    )  # fmt: skip


def _what_if_form(request: HttpRequest) -> tuple[WhatIfForm, PolicyVersion | PolicyDraft | None]:
    """What was asked, and the document it names; nothing is wrong yet where nothing was asked."""
    if "policy" not in request.GET and request.path == reverse("policies:what_if"):
        return WhatIfForm(initial={"days": 7} | request.GET.dict()), None
    asked = request.GET.copy()
    asked.setdefault("days", "7")
    form = WhatIfForm(asked)
    form.is_valid()
    if "policy" not in form.cleaned_data:
        return form, None
    document = _document(form.cleaned_data["policy"])
    return WhatIfForm(asked, asked=document), document


def _shown(comparison: Any) -> list[dict[str, Any]]:
    return [
        {
            "subject": subject,
            "outcomes": comparison.outcomes(subject),
            "changes": [one for one in comparison.changes(subject) if one.flips],
            "flips": comparison.flips(subject),
            "number": sum(one.number for one in comparison.changes(subject)),
        }
        for subject in ("prompt", "picture")
    ]


def _document(id: UUID) -> PolicyVersion | PolicyDraft:
    for model in (PolicyVersion, PolicyDraft):
        found = model.objects.select_related("policy").filter(pk=id).first()
        if found is not None:
            return found
    raise Http404("there is no such version or draft")


def _published(document: PolicyVersion | PolicyDraft) -> PolicyVersion:
    if isinstance(document, PolicyDraft):
        raise Http404("there is no such version")
    return document


def _csv(rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    class Echo:
        def write(self, line: str) -> str:
            return line

    writer = csv.writer(Echo())
    yield writer.writerow(CSV_HEADER)
    for row in rows:
        yield writer.writerow(row)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # `admin_view` and the permission let nobody else in
    return request.user


def _log(request: HttpRequest, version: PolicyVersion, what: str) -> None:
    admin.site._registry[PolicyVersion].log_change(request, version, what)


def _log_shadow(request: HttpRequest, shadow: PolicyShadow, what: str) -> None:
    act_log(by=_user(request), of=PolicyShadow, about=str(shadow.draft), message=what)


def _version_page(version: PolicyVersion) -> HttpResponse:
    return redirect("admin:moderation_policyversion_change", version.pk)


def _page(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    return render(request, template, admin.site.each_context(request) | context)
