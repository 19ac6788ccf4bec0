"""Versions: compared with the current one line by line, restored after a question, and nobody else's."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from segments import saving
from segments.models import Segment
from tests.accounts.factories import make_administrator
from tests.cohorts.factories import CohortFactory
from tests.segments.admin_pages import CONFLICT, FORBIDDEN, FOUND, MISSING, address, text_of
from tests.segments.definitions import cohorts, definition
from tests.segments.factories import SegmentFactory


@pytest.fixture
def segment(workspace, marketer, administrator):
    lapsed, valuable = CohortFactory(name="Lapsed"), CohortFactory(name="Valuable")
    made = Segment(
        workspace=workspace, name="Win back", definition=definition(cohorts(lapsed.pk), cohorts(valuable.pk))
    )
    saving.save(segment=made, tags=[], by=marketer, now=timezone.now())
    made.definition = definition(cohorts(lapsed.pk), cohorts(valuable.pk, operator="does_not_include"))
    saving.save(segment=made, tags=[], by=administrator, now=timezone.now())
    return made


def cells(page):
    return re.findall(r'<td class="([^"]*)">(.*?)</td>', page.content.decode(), re.DOTALL)


def test_a_version_stands_beside_the_current_one(marketer_client, segment):
    page = marketer_client.get(address(segment, "version", 1))
    text = text_of(page)
    assert "Version 1 and the current version 2" in text
    assert "Removed since: Mixpanel_Cohorts includes “Valuable”" in text
    assert "Added since: Mixpanel_Cohorts does not include “Valuable”" in text
    assert [kind for kind, _line in cells(page)] == ["", "", "", "", "sp-gone", "sp-new"]
    assert address(segment, "restore", 1) in page.content.decode()


def test_the_current_version_stands_alone(marketer_client, segment):
    page = marketer_client.get(address(segment, "version", 2))
    assert "Version 2, the current one" in text_of(page)
    assert "since:" not in text_of(page)
    assert address(segment, "restore", 2) not in page.content.decode()


def test_a_version_that_cannot_be_read_says_so(marketer_client, segment):
    segment.versions.filter(number=1).update(definition={"version": 0})
    assert "cannot be shown in words" in text_of(marketer_client.get(address(segment, "version", 1)))


@pytest.mark.parametrize("persona", ["administrator_client", "marketer_client"])
def test_a_version_is_restored_after_a_question(request, persona, segment):
    client, address_of = request.getfixturevalue(persona), address(segment, "restore", 1)
    assert "Restore version 1?" in text_of(client.get(address_of))
    assert segment.versions.count() == 2
    answer = client.post(address_of)
    assert answer.status_code == FOUND
    said = text_of(client.get(answer.url))
    assert "The filters are those of version 1 again. This is version 3." in said
    first, third = (segment.versions.get(number=number) for number in (1, 3))
    assert first.definition == third.definition == Segment.objects.get().definition
    assert f"{third.saved_by}_client" == persona


def test_a_version_that_would_be_at_fault_is_not_restored(marketer_client, segment):
    segment.versions.filter(number=1).update(definition=definition(cohorts(987_654)))
    page = marketer_client.post(address(segment, "restore", 1))
    assert page.status_code == CONFLICT
    assert "Version 1 cannot be restored." in text_of(page)
    assert "does not exist any more" in text_of(page)
    assert segment.versions.count() == 2


@pytest.mark.parametrize("name", ["version", "restore"])
def test_versions_of_nobody_and_of_others_are_not_found(marketer_client, stranger_client, segment, name):
    other = SegmentFactory.create()
    assert marketer_client.get(address(segment, name, 9)).status_code == MISSING
    assert marketer_client.get(address(other, name, 1)).status_code == MISSING
    assert stranger_client.get(address(segment, name, 1)).status_code == MISSING
    assert stranger_client.post(address(segment, name, 1)).status_code == MISSING
    assert segment.versions.count() == 2


def test_who_may_only_look_compares_and_restores_nothing(client_of, workspace, segment):
    viewer = make_administrator(workspace, username="viewer")
    viewer.groups.clear()
    viewer.user_permissions.add(Permission.objects.get(codename="view_segment"))
    client = client_of(viewer)
    page = client.get(address(segment, "version", 1))
    assert page.status_code == 200
    assert address(segment, "restore", 1) not in page.content.decode()
    assert client.post(address(segment, "restore", 1)).status_code == FORBIDDEN
    assert segment.versions.count() == 2
