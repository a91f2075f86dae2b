"""The playground's pages. A trial belongs to who began it: for others it is not there."""

from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib import admin
from django.contrib.auth.decorators import permission_required, user_passes_test
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from accounts.two_factor import is_satisfied
from ethical_lens.policy import LimitExceeded, NotAllowed
from jobs.api.streams import stream_answer
from jobs.models import Job
from jobs.quotas import QuotaExceeded
from jobs.states import TERMINAL
from jobs.storage import StorageError
from moderation.previews import PictureUnreadable, preview_read
from playground.arms import arms_of, pairs_of
from playground.forms import TrialForm
from playground.models import Trial
from playground.trials import MOST_UNFINISHED, TooManyTrials, trial_start

PERMISSION = "playground.add_trial"
EXAMPLES = (
    "a doctor in an office",
    "a nurse in a hospital",
    "an angry mob beating a thief in the street",
    "a sailboat on the sea",
)
_TRIALS = Trial.objects.select_related(
    "aligned__policy_version__policy", "as_written__policy_version__policy"
)


def _guarded(view: Any) -> Any:
    allowed = permission_required(PERMISSION, raise_exception=True)(view)
    return user_passes_test(_signed_in, login_url=reverse_lazy("admin:login"))(allowed)


def _signed_in(user: AbstractBaseUser | AnonymousUser) -> bool:
    return isinstance(user, User) and is_satisfied(user)


@_guarded
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """The form, and what was tried before; a POST begins a trial and leads to its page."""
    form = TrialForm(request.POST or None, initial={"prompt": request.GET.get("prompt", "")})
    if request.method != "POST":
        return _page(request, form)
    if not form.is_valid():
        return _page(request, form, status=400)
    try:
        trial = trial_start(user=_user(request), **form.cleaned_data)
    except TooManyTrials:
        form.add_error(None, f"{MOST_UNFINISHED} trials of yours are under way. Wait for an end.")
        return _page(request, form, status=429)
    except QuotaExceeded as error:
        form.add_error(None, f"{error.title}. Try again in {error.retry_after} seconds.")
        return _page(request, form, status=error.status)
    except (NotAllowed, LimitExceeded) as error:
        form.add_error(None, f"The policy of the playground does not allow this: {error}.")
        return _page(request, form, status=403)
    return HttpResponseRedirect(reverse("playground:trial", args=[trial.pk]))


@_guarded
@require_safe
def trial(request: HttpRequest, trial_id: UUID) -> HttpResponse:
    """One trial, which goes on while it is looked at."""
    found = _trial(request, trial_id)
    job = found.aligned
    form = TrialForm(initial={"prompt": job.prompt, "count": job.n, "seed": job.seed})
    return _page(request, form, found)


@_guarded
@require_safe
def state(request: HttpRequest, trial_id: UUID) -> HttpResponse:
    """The part of that page which changes."""
    answer = render(request, "playground/_trial.html", _shown(_trial(request, trial_id)))
    answer["Cache-Control"] = "no-store"
    return answer


@_guarded
@require_safe
def picture(request: HttpRequest, trial_id: UUID, arm: str, index: int) -> HttpResponse:
    """A picture that is out; of one that was judged and is not, a blurred grey trace; else 404."""
    found = next((a for a in arms_of(_trial(request, trial_id)) if a.slug == arm), None)
    shown = next((p for p in found.pictures if p.picture.index == index), None) if found else None
    if shown is None or shown.card.current is None or not (shown.out or shown.trace):
        raise Http404
    try:
        png = preview_read(shown.picture, shown.card.current.version)
    except (StorageError, PictureUnreadable) as error:
        raise Http404(str(error)) from error
    answer = HttpResponse(png, content_type="image/png")
    answer["Cache-Control"] = "no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'"
    return answer


@_guarded
@require_safe
async def events(request: HttpRequest, trial_id: UUID, arm: str) -> HttpResponseBase:
    """What happens to one of the jobs, as the API's stream tells it; 204 once it has ended and its
    last event was seen."""
    last = request.headers.get("Last-Event-ID", "")
    seen = int(last) if last.isdecimal() and len(last) <= 5 else -1
    job_id = await sync_to_async(_followed)(request, trial_id, arm, seen)
    return HttpResponse(status=204) if job_id is None else stream_answer(job_id, seen)


def _followed(request: HttpRequest, trial_id: UUID, arm: str, seen: int) -> UUID | None:
    """The job to follow; None where nothing will come any more."""
    found = _trial(request, trial_id)
    jobs: dict[str, Job] = {"aligned": found.aligned, "as-written": found.as_written}
    if arm not in jobs:
        raise Http404
    job = jobs[arm]
    over = job.status in TERMINAL and not job.log.filter(sequence__gt=seen).exists()
    return None if over else job.id


def _trial(request: HttpRequest, trial_id: UUID) -> Trial:
    return get_object_or_404(_TRIALS, pk=trial_id, user=_user(request))


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the guard lets nobody else in
    return request.user


def _page(
    request: HttpRequest, form: TrialForm, trial: Trial | None = None, status: int = 200
) -> HttpResponse:
    context = admin.site.each_context(request) | {
        "title": "Playground",
        "form": form,
        "examples": EXAMPLES,
        "earlier": _TRIALS.filter(user=_user(request)).order_by("-id")[:6],
    }
    if trial is not None:
        context |= _shown(trial)
    return render(request, "playground/page.html", context, status=status)


def _shown(trial: Trial) -> dict[str, Any]:
    as_written, aligned = arms_of(trial)
    return {
        "trial": trial,
        "arms": (as_written, aligned),
        "pairs": pairs_of(as_written, aligned) if as_written.painted or aligned.painted else [],
        "job": aligned.job,
        "verdict": aligned.job.text_verdict,
        "verdict_as_written": as_written.job.text_verdict,
    }
