"""What is done with a segment: asked before it is lost, refused while something uses it, by nobody else's hand."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from segments import saving
from segments.models import Segment
from tests.accounts.factories import make_administrator
from tests.cohorts.factories import CohortFactory
from tests.profiles.factories import ProfileFactory
from tests.segments.admin_pages import CONFLICT, FORBIDDEN, FOUND, LIST, MISSING, address, text_of
from tests.segments.definitions import cohorts, definition, members_of
from tests.segments.factories import SegmentFactory

ALL = ["duplicate", "archive", "unarchive", "delete"]
ASKING = ["archive", "delete"]


@pytest.fixture
def segment(workspace, marketer):
    cohort = CohortFactory(name="Lapsed", members=ProfileFactory.create_batch(3))
    made = Segment(workspace=workspace, name="Win back", definition=definition(cohorts(cohort.pk)))
    saving.save(segment=made, tags=["crm"], by=marketer, now=timezone.now())
    return made


@pytest.mark.parametrize("persona", ["administrator_client", "marketer_client"])
def test_both_roles_copy_archive_unarchive_and_delete(request, persona, segment):
    client = request.getfixturevalue(persona)
    copied = client.post(address(segment, "duplicate"))
    copy = Segment.objects.get(name="Win back (copy)")
    assert copied.url == address(copy)
    assert "This is the copy of “Win back”." in text_of(client.get(copied.url))
    assert client.post(address(copy, "archive")).status_code == FOUND
    assert Segment.objects.get(pk=copy.pk).archived_at
    client.post(address(copy, "unarchive"))
    assert not Segment.objects.get(pk=copy.pk).archived_at
    assert client.post(address(copy, "delete")).url == LIST
    assert list(Segment.objects.all()) == [segment]


@pytest.mark.parametrize("action", ASKING)
def test_what_loses_something_is_asked_first(marketer_client, segment, action):
    page = marketer_client.get(address(segment, action))
    assert "“Win back”" in text_of(page)
    segment.refresh_from_db()
    assert not segment.archived_at


@pytest.mark.parametrize("action", ["duplicate", "unarchive"])
def test_what_asks_nothing_takes_a_post(marketer_client, segment, action):
    assert marketer_client.get(address(segment, action)).status_code == 405


@pytest.mark.parametrize("action", ASKING)
def test_what_is_used_stays_and_its_users_are_named_and_linked(marketer_client, segment, action):
    user = SegmentFactory.create(name="Campaign", definition=members_of(segment.pk))
    for page, status in (
        (marketer_client.get(address(segment, action)), 200),
        (marketer_client.post(address(segment, action)), CONFLICT),
    ):
        assert page.status_code == status
        assert "“Win back” is in use and cannot be" in text_of(page)
        assert f'href="{address(user)}">Campaign</a>' in page.content.decode()
        assert 'type="submit" class="rc-button' not in page.content.decode()
    assert Segment.objects.get(pk=segment.pk).archived_at is None


def test_what_uses_archived_segments_is_neither_unarchived_nor_copied(marketer_client, segment):
    user = SegmentFactory.create(name="Campaign", definition=members_of(segment.pk))
    for it in (user, segment):
        saving.archive(segment=it, now=timezone.now())
    for action in ("unarchive", "duplicate"):
        answer = marketer_client.post(address(user, action))
        assert answer.url == address(user)
        assert "“Win back” is archived. Unarchive it first" in text_of(marketer_client.get(answer.url))
    assert Segment.objects.count() == 2
    assert not Segment.objects.active().exists()


def test_there_is_no_way_around_the_guard(marketer_client, segment):
    SegmentFactory.create(name="Campaign", definition=members_of(segment.pk))
    marketer_client.post(LIST, {"action": "delete_selected", "_selected_action": [segment.pk], "post": "yes"})
    marketer_client.post(address(segment, "delete"), {"post": "yes"})
    assert Segment.objects.filter(pk=segment.pk).exists()


@pytest.mark.parametrize("action", ALL)
def test_a_stranger_finds_nothing_to_do_it_to(stranger_client, segment, action):
    assert stranger_client.post(address(segment, action)).status_code == MISSING
    if action in ASKING:
        assert stranger_client.get(address(segment, action)).status_code == MISSING
    assert Segment.objects.get().archived_at is None


@pytest.mark.parametrize("action", ALL)
def test_who_may_only_look_may_not(client_of, workspace, segment, action):
    viewer = make_administrator(workspace, username="viewer")
    viewer.groups.clear()
    viewer.user_permissions.add(Permission.objects.get(codename="view_segment"))
    assert client_of(viewer).post(address(segment, action)).status_code == FORBIDDEN
    assert Segment.objects.get().archived_at is None


@pytest.mark.parametrize("action", ALL)
def test_without_login_there_is_nothing(client, segment, action):
    assert "/login/" in client.post(address(segment, action)).url
