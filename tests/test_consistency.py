"""Things written in two places say the same in both; things that every model must have, every model has."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection, models

ROOT = Path(__file__).resolve().parent.parent
OURS = {"accounts", "profiles", "cohorts", "segments", "campaigns"}
MODELS = [model for model in apps.get_models() if model._meta.app_label in OURS]
# Sets of profiles; a digest, and the numbers of a sync's pages, are too small to matter.
BITMAPS = {
    "cohorts_cohort": ["snapshot"],
    "cohorts_cohortdelta": ["members", "left"],
    "profiles_filterbitmap": ["members"],
    "segments_segmentexport": ["members"],
    "profiles_profilechange": ["members"],
}


def test_migrations_have_names():
    written = [path for app in OURS for path in (ROOT / app / "migrations").glob("0*.py")]
    assert len(written) >= 4
    assert [path.name for path in written if "auto" in path.stem] == []


def test_every_model_says_what_it_is_and_prints_as_something():
    ours = [model for model in MODELS if model.__name__ != "User"]
    assert [
        model.__name__
        for model in ours
        if not model.__doc__ or model.__doc__.startswith(f"{model.__name__}(")
    ] == []
    assert [model.__name__ for model in ours if model.__str__ is models.Model.__str__] == []


def test_every_row_leads_to_exactly_one_workspace():
    def leads(model: type[models.Model]) -> bool:
        keys = [
            field
            for field in model._meta.get_fields()
            if isinstance(field, models.ForeignKey) and not field.null
        ]
        targets = [field.related_model for field in keys if field.related_model._meta.app_label in OURS]
        return any(
            target.__name__ == "Workspace" or (target is not model and leads(target)) for target in targets
        )

    # A heartbeat is the server's; a rejected call may have come with nobody's key.
    outside = {"User", "Workspace", "Heartbeat", "RejectedCall"}
    assert [model.__name__ for model in MODELS if model.__name__ not in outside and not leads(model)] == []


def test_history_and_people_are_never_deleted_along_with_something_else():
    cascading = {
        f"{model.__name__}.{field.name}"
        for model in MODELS
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and field.remote_field.on_delete is models.CASCADE
    }
    assert cascading <= {
        "Membership.workspace",
        "Membership.user",
        "ProfileChange.workspace",
        "FilterBitmap.workspace",
        # Of a segment that nothing uses, deleted after a question that says so.
        "SegmentVersion.segment",
        "SegmentSize.segment",
    }


def test_moments_and_counts_are_named_so():
    fields = [field for model in MODELS if model.__name__ != "User" for field in model._meta.local_fields]
    moments = [field.name for field in fields if isinstance(field, models.DateTimeField)]
    assert [name for name in moments if not name.endswith(("_at", "as_of"))] == []


@pytest.mark.postgresql
@pytest.mark.django_db
@pytest.mark.parametrize("table", BITMAPS)
def test_bitmaps_are_stored_uncompressed(table):
    with connection.cursor() as cursor:
        cursor.execute("SELECT attname, attstorage FROM pg_attribute WHERE attrelid = %s::regclass", [table])
        storage = dict(cursor.fetchall())
    assert {name: storage[name] for name in BITMAPS[table]} == dict.fromkeys(BITMAPS[table], "e")
