"""Both export commands stream exact CSV, and say clearly what they do not find."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from profiles import export
from profiles.models import Profile
from tests.accounts.factories import WorkspaceFactory
from tests.cohorts.factories import CohortFactory
from tests.profiles.factories import ProfileFactory, erase
from tests.segments.definitions import cohorts, definition
from tests.segments.factories import SegmentFactory


@pytest.fixture
def cohort(workspace):
    people = [
        ProfileFactory.create(external_id="b"),
        ProfileFactory.create(anonymous=True),
        ProfileFactory.create(external_id='quote " and, comma'),
    ]
    ProfileFactory.create()
    return CohortFactory(partner_cohort_id="7", members=reversed(people))


def exported(command, **options):
    out = io.StringIO()
    call_command(command, **({"workspace": "default"} | options), stdout=out)
    return out.getvalue()


def expected(*external_ids):
    ids = Profile.objects.order_by("id").values_list("id", flat=True)
    rows = [f"{pk},{cell}" for pk, cell in zip(ids, external_ids, strict=False) if cell is not None]
    return "\n".join(["profile_id,external_id", *rows, ""])


@pytest.mark.parametrize("chunk", [1, 2, 10_000])
def test_a_cohort_is_exported_sorted_with_blank_ids_for_anonymous_profiles(cohort, monkeypatch, chunk):
    monkeypatch.setattr(export, "CHUNK", chunk)
    text = exported("export_cohort", partner="mixpanel", cohort_id="7")
    assert text == expected("b", "", '"quote "" and, comma"')


def test_a_segment_exports_whom_it_selects(cohort):
    SegmentFactory.create(name="Mine", definition=definition(cohorts(cohort.pk)))
    assert exported("export_segment", name="Mine") == expected("b", "", '"quote "" and, comma"')


def test_an_erased_profile_is_not_exported(cohort):
    erase(Profile.objects.get(external_id="b"))
    text = exported("export_cohort", partner="mixpanel", cohort_id="7")
    assert text == expected(None, "", '"quote "" and, comma"')


@pytest.mark.parametrize(
    ("command", "options", "missing"),
    [
        ("export_cohort", {"workspace": "nowhere", "partner": "mixpanel", "cohort_id": "7"}, "nowhere"),
        ("export_cohort", {"partner": "mixpanel", "cohort_id": "8"}, "8"),
        ("export_cohort", {"partner": "segment", "cohort_id": "7"}, "7"),
        ("export_segment", {"workspace": "nowhere", "name": "Mine"}, "nowhere"),
        ("export_segment", {"name": "Theirs"}, "Theirs"),
    ],
)
def test_what_is_not_there_is_said_clearly(cohort, command, options, missing):
    SegmentFactory.create(workspace=WorkspaceFactory.create(), name="Theirs")
    with pytest.raises(CommandError, match=missing):
        exported(command, **options)


def test_a_segment_at_fault_is_not_exported_as_something_else(workspace):
    SegmentFactory.create(name="Lost", definition=definition(cohorts(404, operator="does_not_include")))
    with pytest.raises(CommandError, match="at fault"):
        exported("export_segment", name="Lost")
