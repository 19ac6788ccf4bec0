"""Whom a name means: one person by an identifier, the right one of several by an address."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from profiles import addresses, erasure, identity, identity_names
from profiles.addresses import Priority
from profiles.attributes import AttributeValueError
from profiles.identity_names import alias, device, email, external_id, phone, profile
from profiles.models import Profile
from tests.profiles.factories import ProfileFactory
from tests.profiles.identities import BY_KEY, NOW, call
from tests.profiles.plans import plan_of

pytestmark = pytest.mark.django_db
ADDRESS = "family@f.example"
IDENTIFIED, UNIDENTIFIED, NEWEST, OLDEST = Priority


@pytest.fixture
def family() -> dict[str, int]:
    """Four people with one address: two with external ids, two without, each pair older and newer."""
    people = {}
    for year, name in ((2023, "old"), (2024, "old guest"), (2025, "new"), (2026, "new guest")):
        guest = {"external_id": None} if "guest" in name else {}
        people[name] = ProfileFactory.create(email=ADDRESS, **guest).pk
        Profile.objects.filter(pk=people[name]).update(changed_at=datetime(year, 1, 1, tzinfo=UTC))
    return people


def resolve(workspace, *names) -> list[int | None]:
    found = identity_names.resolve(workspace_id=workspace.pk, names=names)
    return [found.get(name) for name in names]


@pytest.mark.parametrize(
    ("priorities", "meant"),
    [
        ([], "new"),
        ([IDENTIFIED, NEWEST], "new"),
        ([IDENTIFIED, OLDEST], "old"),
        ([UNIDENTIFIED, NEWEST], "new guest"),
        ([OLDEST, UNIDENTIFIED], "old guest"),
        ([NEWEST], "new guest"),
        ([OLDEST], "old"),
        ([IDENTIFIED], None),
        ([UNIDENTIFIED], None),
    ],
)
def test_priorities_decide_who_of_several_is_meant(workspace, family, priorities, meant):
    assert resolve(workspace, email(ADDRESS, priorities=priorities)) == [family.get(meant)]


def test_names_of_one_address_are_decided_each_by_its_own_priorities_in_one_query(workspace, family):
    Profile.objects.update(phone="+49123")
    wanted = {
        email(ADDRESS): "new",
        email(ADDRESS, priorities=[IDENTIFIED, OLDEST]): "old",
        email(ADDRESS, priorities=[UNIDENTIFIED]): None,
        phone("+49123", priorities=[NEWEST, UNIDENTIFIED]): "new guest",
        phone("+49123", priorities=[OLDEST]): "old",
        phone(ADDRESS): None,
    }
    with CaptureQueriesContext(connection) as captured:
        found = identity_names.resolve(workspace_id=workspace.pk, names=wanted)
    assert found == {name: family[meant] for name, meant in wanted.items() if meant}
    assert len(captured) == 1


def test_only_one_with_an_address_is_meant_without_an_order(workspace, other_workspace):
    guest, ann = ProfileFactory.create(anonymous=True, phone="1"), ProfileFactory.create(phone="1")
    ProfileFactory.create(phone="1", deleted_at=NOW)
    ProfileFactory.create(phone="1", workspace=other_workspace)
    names = [phone("1", priorities=[whose]) for whose in (IDENTIFIED, UNIDENTIFIED)]
    assert resolve(workspace, *names) == [ann.pk, guest.pk]


@pytest.mark.postgresql
@pytest.mark.parametrize("priorities", [[], [IDENTIFIED, NEWEST], [OLDEST], [UNIDENTIFIED]])
def test_however_many_share_an_address_one_row_is_read(workspace, priorities):
    Profile.objects.bulk_create([Profile(workspace=workspace, email=ADDRESS) for _ in range(100)])
    rows = []

    def counted(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        rows.append(context["cursor"].rowcount)
        return result

    with connection.execute_wrapper(counted):
        resolve(workspace, email(ADDRESS, priorities=priorities))
    assert rows == [1]


def test_without_priorities_a_guest_is_meant_where_there_is_nobody_else(workspace):
    guest = ProfileFactory.create(anonymous=True, email=ADDRESS)
    assert resolve(workspace, email(ADDRESS)) == [guest.pk]
    assert resolve(workspace, email(ADDRESS, priorities=[IDENTIFIED])) == [None]


def test_everybody_of_an_address_is_meant_where_that_is_asked(workspace, family):
    ann = ProfileFactory.create(external_id="ann")
    names = [email(ADDRESS), external_id("ann"), phone("+49123"), email("")]
    found = identity_names.everybody(workspace_id=workspace.pk, names=names)
    assert found == {email(ADDRESS): sorted(family.values()), external_id("ann"): [ann.pk]}


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL chooses by the data")
@pytest.mark.parametrize("name", [email(ADDRESS), phone("+49123")])
def test_everybody_of_an_address_is_found_by_its_index(workspace, name):
    with CaptureQueriesContext(connection) as captured:
        identity_names.everybody(workspace_id=workspace.pk, names=[name])
    assert f"profile_{name.kind}" in plan_of(captured[-1]["sql"])


def test_erased_people_have_no_name(workspace):
    gone = ProfileFactory.create(email=ADDRESS, phone="+49123", deleted_at=NOW)
    assert resolve(workspace, email(ADDRESS), phone("+49123"), profile(gone.pk)) == [None, None, None]


def test_blank_address_is_nobodys(workspace):
    ProfileFactory.create(email="", phone="")
    assert resolve(workspace, email(""), phone("")) == [None, None]


def test_three_queries_find_any_number_of_names(workspace, family):
    many = [external_id(f"x{number}") for number in range(50)]
    many += [alias(label="l", name=f"x{number}") for number in range(50)]
    many += [device(f"x{number}") for number in range(50)]
    many += [profile(number) for number in range(1, 51)]
    many += [email(f"{number}@x.example") for number in range(50)]
    many += [phone(f"+{number}") for number in range(50)]
    with CaptureQueriesContext(connection) as captured:
        resolve(workspace, *many)
    assert len(captured) <= 3


@pytest.mark.parametrize("value", ["", "  ", "null", "N/A", 7, None, "x" * 256, "\x00", "\ud800"])
def test_text_that_may_be_nobodys_identifier_is_refused_by_its_field(value):
    with pytest.raises(AttributeValueError, match=r"^alias_name "):
        identity_names.text("alias_name", value)


@pytest.mark.parametrize("operation", ["merge", "erase"])
def test_who_gets_another_address_before_they_are_locked_is_not_meant(workspace, monkeypatch, operation):
    before, now = ProfileFactory.create(email="other"), ProfileFactory.create(email=ADDRESS)
    look_up, tries = addresses.holders, []

    def changed_since(**arguments: Any) -> dict[addresses.Address, int]:
        tries.append(arguments)
        found = look_up(**arguments)
        return dict.fromkeys(found, before.pk) if len(tries) == 1 else found

    monkeypatch.setattr(addresses, "holders", changed_since)
    if operation == "merge":
        pair = email(ADDRESS), profile(ProfileFactory.create().pk)
        assert call(identity.merge, workspace, pairs=[pair]) == [None]
    else:
        erasure.erase(workspace_id=workspace.pk, names=[email(ADDRESS)], author=BY_KEY, now=NOW)
    assert Profile.objects.live().filter(pk__in=[before.pk, now.pk]).get() == before
