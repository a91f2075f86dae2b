"""Jobs that were judged, written by SQL: as many as are wanted, in seconds.

Scores are drawn anew for every picture; what was done with them is what the published policy does.
Triggers and foreign keys are left out meanwhile.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import DateTimeField, Field, Model

from accounts.models import Tenant
from config.identifiers import uuid7_first
from ethical_lens.results import (
    AttributeDraw,
    Factor,
    Label,
    LifeStage,
    ReadFace,
    TextVerdict,
)
from jobs.models import Job, Picture
from moderation.models import Decision

CONCEPTS = ("nsfw", "politic", "culture", "nude", "public")
WHOLE = "(s.nsfw >= 0.7 OR s.politic >= 0.9 OR s.culture >= 0.9)"
YOUNG = "(s.minor OR s.child OR s.face)"


def fill(tenant: Tenant, count: int, since: datetime) -> None:
    """`count` jobs of one picture each, from `since` on, a millisecond apart."""
    first = uuid7_first(since).int >> 80
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SELECT setseed(0.5)")
        cursor.execute(_SCORED, [count])
        _insert(cursor, Job, "judged s", _job(tenant, first))
        _insert(cursor, Picture, "judged s", _picture(first))
        _insert(cursor, Decision, "judged s", _prompt(tenant, first))
        _insert(cursor, Decision, "judged s", _look(tenant, first))
        _insert(cursor, Decision, "judged s WHERE s.action IN ('blur', 'repaint')",
                _second_look(tenant, first))  # fmt: skip
        cursor.execute("DROP TABLE judged")
        for model in (Job, Picture, Decision):
            cursor.execute(f"ANALYZE {model._meta.db_table}")


_SCORED = f"""
CREATE TEMPORARY TABLE judged AS
SELECT s.*, CASE
    WHEN (s.nude >= 0.6 OR s.nsfw >= 0.7) AND {YOUNG} THEN 'block'
    WHEN {WHOLE} THEN 'repaint'
    WHEN s.nude >= 0.6 OR s.public >= 0.5 THEN 'blur'
    ELSE 'release' END AS action
FROM (
    SELECT i, round((random() ^ 3)::numeric, 4) AS nsfw,
           round((random() ^ 3)::numeric, 4) AS politic,
           round((random() ^ 3)::numeric, 4) AS culture, round((random() ^ 3)::numeric, 4) AS nude,
           round((random() ^ 3)::numeric, 4) AS public, random() < 0.03 AS minor,
           random() < 0.03 AS child, random() < 0.02 AS face, random() < 0.2 AS touched,
           round(random()::numeric, 4) AS violence
    FROM generate_series(1, %s) AS i
) AS s
"""


def _id(first: int, kind: int) -> str:
    """A UUIDv7 of row `i`, a millisecond after the one before."""
    return (
        f"(lpad(to_hex({first}::bigint + s.i), 12, '0') || '7{kind:03x}8000'"
        " || lpad(to_hex(s.i), 12, '0'))::uuid"
    )


def _job(tenant: Tenant, first: int) -> dict[str, str]:
    plain = TextVerdict(
        labels=frozenset({Label.K0}), score=0.1, explanation="Nothing found.", prompt="a street"
    )
    minor = plain.model_copy(update={"minor": True})
    return {
        "id": _id(first, 1), "tenant_id": _uuid(tenant.pk),
        "policy_version_id": _uuid(tenant.policy_version_id), "prompt": "'a street'",
        "model": "'mini'", "n": "1", "width": "96", "height": "96", "steps": "8",
        "guidance_scale": "4", "seed": "s.i", "status": "'succeeded'", "ended_at": "now()",
        "text_verdict": f"CASE WHEN s.minor THEN {_json(minor)} ELSE {_json(plain)} END",
    }  # fmt: skip


def _picture(first: int) -> dict[str, str]:
    draw = AttributeDraw(cluster=0, age=LifeStage.CHILDHOOD)
    grown = AttributeDraw(cluster=0, age=LifeStage.OLD_AGE)
    return {
        "id": _id(first, 2), "job_id": _id(first, 1), "index": "0", "seed": "s.i",
        "status": "'quarantined'",
        "draws": f"jsonb_build_array(CASE WHEN s.child THEN {_json(draw)} ELSE {_json(grown)} END)",
    }  # fmt: skip


def _decision(tenant: Tenant, first: int, kind: int, stage: str) -> dict[str, str]:
    return {
        "id": _id(first, kind), "tenant_id": _uuid(tenant.pk), "job_id": _id(first, 1),
        "policy_version_id": _uuid(tenant.policy_version_id), "stage": f"'{stage}'", "round": "1",
        "reason": "'filled'", "explanation": "'filled'",
    }  # fmt: skip


def _prompt(tenant: Tenant, first: int) -> dict[str, str]:
    factor = Factor.VIOLENCE.value
    return _decision(tenant, first, 16, "align") | {
        "action": "CASE WHEN s.touched THEN 'rewrite' ELSE 'allow' END",
        "labels": "CASE WHEN s.touched THEN ARRAY['K1'] ELSE ARRAY['K0'] END",
        "factors": f"CASE WHEN s.touched THEN ARRAY['{factor}'] ELSE ARRAY[]::varchar[] END",
        "scores": "CASE WHEN s.touched THEN jsonb_build_object('toxicity', s.violence, "
        f"'{factor}', s.violence) ELSE jsonb_build_object('toxicity', 0) END",
    }


def _look(tenant: Tenant, first: int) -> dict[str, str]:
    face = ReadFace(
        box=(1, 1, 20, 20), score=0.9, gender="male", race="White", stage=LifeStage.CHILDHOOD,
        certainty={}, under_twenty=True,
    )  # fmt: skip
    older = face.model_copy(update={"under_twenty": False, "stage": LifeStage.OLD_AGE})
    return _decision(tenant, first, 17, "scrutinise") | {
        "picture_id": _id(first, 2),
        "action": "s.action",
        "scores": _scores("{}"),
        "faces": f"jsonb_build_array(CASE WHEN s.face THEN {_json(face)} ELSE {_json(older)} END)",
    }


def _second_look(tenant: Tenant, first: int) -> dict[str, str]:
    """After a blur or a repaint: the scores are lower, and sometimes still too high."""
    return _decision(tenant, first, 18, "scrutinise") | {
        "picture_id": _id(first, 2),
        "round": "CASE s.action WHEN 'repaint' THEN 2 ELSE 1 END",
        "action": "CASE WHEN s.nude * 0.8 >= 0.6 OR s.nsfw * 0.8 >= 0.7 THEN 'block' "
        "ELSE 'release' END",
        "scores": _scores("{} * 0.8"),
    }  # fmt: skip


def _scores(of: str) -> str:
    pairs = ", ".join(f"'{name}', {of.format(f's.{name}')}" for name in CONCEPTS)
    return f"jsonb_build_object({pairs})"


def _insert(cursor: Any, model: type[Model], source: str, given: Mapping[str, str]) -> None:
    """Rows from `source`; a column that is not given gets the model's default."""
    columns, values, defaults = [], [], []
    for field in model._meta.concrete_fields:
        column = str(field.column)
        columns.append(f'"{column}"')
        if column in given:
            values.append(given[column].replace("%", "%%"))
        elif isinstance(field, DateTimeField) and field.auto_now_add:
            values.append("now()")
        else:
            values.append("%s")
            defaults.append(_default(field))
    cursor.execute(
        f"INSERT INTO {model._meta.db_table} ({', '.join(columns)})"
        f" SELECT {', '.join(values)} FROM {source}",
        defaults,
    )


def _default(field: "Field[Any, Any]") -> Any:
    return field.get_db_prep_save(field.get_default(), connection)


def _uuid(value: UUID) -> str:
    return f"'{value}'::uuid"


def _json(value: Any) -> str:
    text = json.dumps(value.model_dump(mode="json"))
    return f"'{text}'::jsonb"
