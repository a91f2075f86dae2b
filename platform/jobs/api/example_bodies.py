"""Jobs, pictures and the rest as they are answered, for the examples of the OpenAPI document.

What the offline rules say and draw is what they really say of these prompts.
"""

from typing import Any, Final

ID: Final = "01a20599-44ad-71ce-b278-2d7184b94170"
_PICTURE: Final = "01a20599-44af-70f7-ba96-def8b0d341ce"
_BASE: Final = f"https://images.example/api/v1/jobs/{ID}"
_URLS: Final = {
    "self": _BASE,
    "cancel": f"{_BASE}/cancel",
    "events": f"{_BASE}/events",
    "pictures": f"{_BASE}/pictures",
    "decisions": f"{_BASE}/decisions",
    "appeal": f"{_BASE}/appeal",
}
_SCORES: Final = {"nude": 0.01, "nsfw": 0.02, "politic": 0.0, "culture": 0.0, "public": 0.03}
_THRESHOLDS: Final = {"nsfw": 0.7, "politic": 0.9, "culture": 0.9, "nude": 0.6, "public": 0.5}

_TEXT: Final[dict[str, Any]] = {
    "labels": ["K0"],
    "factors": [],
    "score": 0.0,
    "explanation": "None of the nine factors was found.",
    "factor_scores": {},
    "prompt": "a doctor in an office",
    "edits": [],
    "negative_edits": [],
    "figures": [],
}
_REWRITTEN: Final = _TEXT | {
    "labels": ["K2"],
    "factors": ["P6"],
    "score": 0.7,
    "explanation": "The request touches shocking content (P6, explicit). A wording without "
    "that was found.",
    "factor_scores": {"P6": 0.7},
    "prompt": "a red doctor in an office",
    "edits": [
        {
            "start": 2, "end": 8, "before": "bloody", "after": "red",
            "reason": "takes out shocking content", "factors": ["P6"],
        }
    ],
}  # fmt: skip
_REFUSED: Final = _TEXT | {
    "labels": ["K3"],
    "factors": ["P3", "P4"],
    "score": 0.95,
    "explanation": "The request touches violence (P3, extreme), self-harm (P4, explicit). This is "
    "not fit for generation.",
    "factor_scores": {"P3": 0.95, "P4": 0.7},
    "prompt": "a suicide bomber",
}

PENDING: Final[dict[str, Any]] = {
    "id": _PICTURE,
    "index": 0,
    "status": "pending",
    "reason": "",
    "prompt": "",
    "edits": [],
    "draws": [],
    "seed": 7,
    "round": 1,
    "progress": 0.0,
    "scores": {},
    "findings": [],
    "faces": [],
    "sha256": None,
}


def _given(before: int) -> dict[str, Any]:
    """What a draw put into the prompt, at that offset."""
    return {
        "start": before, "end": before, "before": "", "after": "young Asian female",
        "reason": "drawn: young adulthood, Asian, female", "factors": [],
    }  # fmt: skip


RELEASED: Final = PENDING | {
    "status": "released",
    "reason": "no_finding",
    "prompt": "a young Asian female doctor in an office",
    "edits": [_given(2)],
    "draws": [{"cluster": 0, "gender": "female", "race": "Asian", "age": "young adulthood"}],
    "progress": 1.0,
    "scores": _SCORES,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}
_FACE: Final = {
    "box": [31, 12, 58, 44],
    "score": 0.97,
    "gender": "female",
    "race": "Asian",
    "stage": "young adulthood",
    "certainty": {"gender": 0.99, "race": 0.93, "age": 0.9},
    "under_twenty": False,
}
_STOPPED: Final = RELEASED | {
    "status": "blocked",
    "reason": "picture_still_toxic",
    "round": 2,
    "scores": _SCORES | {"nsfw": 0.83},
    "findings": ["nsfw"],
    "faces": [_FACE],
}
LINKED: Final = RELEASED | {
    "url": f"https://objects.example/released/{ID}/{_PICTURE}.png?X-Amz-Expires=900",
    "url_expires_at": "2026-11-22T23:46:02.034581Z",
}
UNLINKED: Final = PENDING | {"url": None, "url_expires_at": None}

QUEUED: Final[dict[str, Any]] = {
    "id": ID,
    "status": "queued",
    "reason": "",
    "explanation": "",
    "model": "mini",
    "lora": "",
    "prompt": "a doctor in an office",
    "negative_prompt": "",
    "n": 1,
    "width": 96,
    "height": 96,
    "steps": 20,
    "guidance_scale": 4.0,
    "seed": 7,
    "priority": 5,
    "policy": "default v1",
    "text": None,
    "pictures": [PENDING],
    "created_at": "2026-11-22T23:31:00.398101Z",
    "ended_at": None,
    "cancel_at": None,
    "erased_at": None,
    "replay_of": None,
    "outcome": None,
    "urls": _URLS,
}
SUCCEEDED: Final = QUEUED | {
    "status": "succeeded",
    "reason": "released",
    "explanation": "Every picture was judged; the released ones can be fetched.",
    "text": _TEXT,
    "pictures": [RELEASED],
    "ended_at": "2026-11-22T23:31:02.034581Z",
}
REWORDED: Final = SUCCEEDED | {
    "prompt": "a bloody doctor in an office",
    "text": _REWRITTEN,
    "pictures": [
        RELEASED | {"prompt": "a red young Asian female doctor in an office", "edits": [_given(6)]}
    ],
}
WHOLE: Final = SUCCEEDED | {"pictures": [LINKED]}
_UNREAD: Final = (
    "no aligner reached a verdict: rules: the prompt cannot be judged: it seems to be in another "
    "language than English"
)
HELD: Final = QUEUED | {
    "status": "needs_review",
    "reason": "no_text_verdict",
    "explanation": _UNREAD,
    "prompt": "ein Arzt in einem Zimmer",
    "outcome": {
        "stage": "align",
        "policy": "default v1",
        "causes": [
            {
                "decision": "01a20599-4b1a-76f9-8186-46a2d464d790",
                "picture": None,
                "stage": "align",
                "category": None,
                "score": None,
                "threshold": None,
                "reason": "no_text_verdict",
                "explanation": _UNREAD,
            }
        ],
        "what_may_be_changed": "Nothing: a person looks at it. The job goes on or ends by itself.",
        "appeal": None,
    },
}
WHOLE_HELD: Final = HELD | {"pictures": [UNLINKED]}

_PROMPT_DECISION: Final = "01a20599-4b1a-76f9-8186-46a2d464d791"
_PICTURE_DECISION: Final = "01a20599-4b1a-76f9-8186-46a2d464d792"
BLOCKED: Final = QUEUED | {
    "status": "blocked",
    "reason": "prompt_blocked",
    "explanation": _REFUSED["explanation"],
    "prompt": "a suicide bomber",
    "text": _REFUSED,
    "pictures": [PENDING | {"status": "blocked", "reason": "prompt_blocked"}],
    "ended_at": "2026-11-22T23:31:00.734581Z",
    "outcome": {
        "stage": "align",
        "policy": "default v1",
        "causes": [
            {
                "decision": _PROMPT_DECISION,
                "picture": None,
                "stage": "align",
                "category": category,
                "score": score,
                "threshold": None,
                "reason": "prompt_blocked",
                "explanation": _REFUSED["explanation"],
            }
            for category, score in _REFUSED["factor_scores"].items()
        ],
        "what_may_be_changed": "Word the prompt without what its factors name, and submit it as a "
        "new job. The same prompt will be refused again.",
        "appeal": f"{_BASE}/appeal",
    },
}
PICTURE_BLOCKED: Final = SUCCEEDED | {
    "status": "blocked",
    "reason": "pictures_blocked",
    "explanation": "No picture passed scrutiny; see the decisions of the job.",
    "pictures": [_STOPPED],
    "outcome": {
        "stage": "scrutinise",
        "policy": "default v1",
        "causes": [
            {
                "decision": _PICTURE_DECISION,
                "picture": 0,
                "stage": "scrutinise",
                "category": "nsfw",
                "score": 0.83,
                "threshold": 0.7,
                "reason": "picture_still_toxic",
                "explanation": "The picture still shows nsfw in its last round.",
            }
        ],
        "what_may_be_changed": "Describe other content or another setting, name in "
        "`negative_prompt` what was found, or try another `seed`, in a new job.",
        "appeal": f"{_BASE}/appeal",
    },
}
CANCELED: Final = QUEUED | {
    "status": "canceled",
    "reason": "canceled",
    "explanation": "Canceled on request.",
    "pictures": [PENDING | {"status": "withdrawn", "reason": "canceled"}],
    "ended_at": "2026-11-22T23:31:01.034581Z",
}

_ALLOWED: Final[dict[str, Any]] = {
    "id": "01a20599-4b1a-76f9-8186-46a2d464d798",
    "picture": None,
    "stage": "align",
    "round": 1,
    "actor": "system",
    "action": "allow",
    "reason": "prompt_safe",
    "explanation": _TEXT["explanation"],
    "labels": ["K0"],
    "factors": [],
    "scores": {"toxicity": 0.0},
    "thresholds": {},
    "findings": [],
    "faces": [],
    "policy": "default v1",
    "model_digests": {"rules": "2+a4921c72fe43"},
    "replaces": None,
    "created_at": "2026-11-22T23:31:00.834581Z",
}
_CLEARED: Final = _ALLOWED | {
    "id": "01a20599-4b1a-76f9-8186-46a2d464d799",
    "picture": 0,
    "stage": "scrutinise",
    "action": "release",
    "reason": "no_finding",
    "explanation": "No head reached its threshold.",
    "labels": [],
    "scores": _SCORES,
    "thresholds": _THRESHOLDS,
    "model_digests": {"clip": "sha256:6b86b273ff34fce19d6b804eff5a3f57"},
    "replaces": None,
    "created_at": "2026-11-22T23:31:01.834581Z",
}
_BLOCKING: Final = _CLEARED | {
    "id": _PICTURE_DECISION,
    "round": 2,
    "action": "block",
    "reason": "picture_still_toxic",
    "explanation": "The picture still shows nsfw in its last round.",
    "scores": _SCORES | {"nsfw": 0.83},
    "findings": ["nsfw"],
    "faces": [_FACE],
}
DECISIONS: Final = [_ALLOWED, _CLEARED]
DECISIONS_TO_BLOCK: Final = [_ALLOWED, _BLOCKING]

APPEAL: Final[dict[str, Any]] = {
    "id": "01a20599-5d2c-7b1a-9e3f-60718293a4b5",
    "decision": _PICTURE_DECISION,
    "picture": 0,
    "statement": "The statue is a public monument.",
    "state": "open",
    "explanation": "",
    "created_at": "2026-11-22T23:40:00.398101Z",
    "answered_at": None,
}
REFUSED_APPEAL: Final = APPEAL | {
    "state": "refused",
    "explanation": "It is not the statue that the decision is about.",
    "answered_at": "2026-11-23T08:12:44.120381Z",
}

REPLAYED: Final = QUEUED | {"replay_of": "01a20311-0b7e-7c55-a0de-0f1e2d3c4b5a"}
IDENTICAL: Final[dict[str, Any]] = {
    "original": REPLAYED["replay_of"],
    "replay": ID,
    "status": "succeeded",
    "identical": True,
    "differences": [],
}
DIFFERENT: Final = IDENTICAL | {
    "identical": False,
    "differences": [
        {"picture": None, "what": "models.generate.pipeline", "before": "9c1d", "after": "07ab"},
        {"picture": 0, "what": "sha256", "before": RELEASED["sha256"], "after": "6b86b273ff34fce1"},
        {"picture": 0, "what": "scores.nsfw", "before": 0.02, "after": 0.06},
    ],
}
AT_WORK: Final = IDENTICAL | {"status": "generating", "identical": None}

REPORT: Final[dict[str, Any]] = {
    "id": "01a20599-6e4f-7a2c-8b1d-c0d1e2f30415",
    "picture": 0,
    "reason": "violence",
    "text": "There is blood on the wall.",
    "reporter": "viewer-20394",
    "created_at": "2026-11-24T10:02:00.398101Z",
    "answered_at": None,
    "action": None,
    "explanation": "",
}
REPORT_ANSWERED: Final = REPORT | {
    "answered_at": "2026-11-24T11:20:31.120381Z",
    "action": "allow",
    "explanation": "It is a red curtain.",
}

END: Final[dict[str, Any]] = {
    name: SUCCEEDED[name]
    for name in ("id", "status", "reason", "explanation", "created_at", "ended_at", "urls")
} | {
    "labels": ["K0"],
    "pictures": [{name: RELEASED[name] for name in ("id", "index", "status", "reason")}],
}
"""The data of the last event of a stream, as of the webhook."""
