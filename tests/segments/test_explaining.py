"""Why somebody is, or is not, in a segment: each filter's answer with the user's own value."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from cohorts.models import CohortDelta
from profiles import events, predicates
from profiles.events import Occurrence
from profiles.models import Profile
from segments import audience, explaining, filters
from segments.filters import catalogue
from tests.cohorts.factories import CohortFactory, change_members
from tests.profiles.factories import ProfileFactory, erase
from tests.segments.definitions import cohorts, definition, group, leaf
from tests.segments.factories import SegmentFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SEEN = datetime(2026, 11, 19, 23, 30, tzinfo=UTC)


def explained(workspace, identifier, *nodes, **options):
    tree = filters.parse(definition(*nodes, **options), is_draft=True)
    question = audience.ask(workspace=workspace, tree=tree, now=NOW)
    return explaining.explain(question=question, identifier=identifier)


def answers(workspace, identifier, *nodes, **options):
    """Return of one person whether each node is met, and the own value."""
    (person,) = explained(workspace, identifier, *nodes, **options)["found"]
    return {pointer: (node["is_met"], node["value"]) for pointer, node in person["nodes"].items()}


@pytest.fixture
def ada(workspace):
    person = ProfileFactory.create(
        external_id="u-1",
        email="ada@people.example",
        phone="+33612345678",
        first_name="Ada",
        last_name="Almeida",
        country="FR",
        language="fr",
        time_zone="Europe/Paris",
        home_city="Lyon",
        gender="F",
        date_of_birth=date(2000, 2, 29),
        last_session_at=SEEN,
        email_subscribe="opted_in",
        push_subscribe="unsubscribed",
        push_tokens=[{"app_id": "a", "token": "secret"}],
        custom_attributes={
            "plan": "plus",
            "ltv": 1234.5,
            "trial": False,
            "likes": ["tea", "jazz"],
            "signup": {"$time": "2026-01-31T09:30:00Z"},
        },
        devices=["phone", "tablet"],
        aliases=[("crm", "7"), ("crm", "8"), ("shop", "9")],
    )
    Profile.objects.filter(pk=person.pk).update(created_at=SEEN)
    done = [Occurrence(person.pk, events.Kind.CUSTOM, "bought", "", SEEN) for _ in range(2)]
    events.record(workspace_id=workspace.pk, occurrences=done, now=NOW)
    return person


def own(attribute):
    return leaf("custom_attribute", "is_not_blank", subject=attribute)


VALUES = [
    (leaf("external_id", "is", "u-1"), "u-1"),
    (leaf("email", "contains", "@people"), "ada@people.example"),
    (leaf("phone", "is_not_blank"), "+33612345678"),
    (leaf("first_name", "is", "Ada"), "Ada"),
    (leaf("last_name", "ends_with", "da"), "Almeida"),
    (leaf("country", "is_one_of", ["FR"]), "FR"),
    (leaf("language", "is_one_of", ["fr"]), "fr"),
    (leaf("time_zone", "is_one_of", ["Europe/Paris"]), "Europe/Paris"),
    (leaf("home_city", "is_one_of", ["Lyon"]), "Lyon"),
    (leaf("gender", "is_one_of", ["F"]), "Female"),
    (leaf("date_of_birth", "on", "2000-02-29"), "Feb. 29, 2000"),
    (leaf("age", "at_least", 26), "26"),
    (leaf("created_at", "in_last_days", 2), "Nov. 19, 2026, 11:30 p.m."),
    (leaf("last_seen", "in_last_days", 2), "Nov. 19, 2026, 11:30 p.m."),
    (leaf("identity", "identified"), "identified"),
    (leaf("alias", "has", subject="crm"), "“7”, “8”"),
    (leaf("device", "has"), "2"),
    (own("plan"), "plus"),
    (own("ltv"), "1,234.5"),
    (own("trial"), "false"),
    (own("likes"), "tea, jazz"),
    (own("signup"), "2026-01-31T09:30:00Z"),
    (leaf("custom_event", "exactly", 2, subject="bought"), "2 times, last on Nov. 19, 2026"),
    (leaf("custom_event", "has_not_done", subject="other"), "never"),
    (leaf("email_subscribe", "is_one_of", ["opted_in"]), "Opted in"),
    (leaf("push_subscribe", "is_one_of", ["unsubscribed"]), "Unsubscribed"),
    (leaf("email_address", "has"), "ada@people.example"),
    (leaf("push_token", "has"), "has one"),
]


def test_every_filter_that_is_met_shows_the_users_own_value(workspace, ada):
    cohort = CohortFactory(name="VIP", members=[ada])
    segment = SegmentFactory.create(name="Loyal", definition=definition(leaf("identity", "identified")))
    bucket = predicates.bucket(ada.pk)
    all_values = [
        *VALUES,
        (cohorts(cohort.pk, CohortFactory(name="Others").pk), "in “VIP”"),
        (leaf("cohort_moves", "entered_in_last_days", 3650, subject=cohort.pk), "in it now"),
        (leaf("segment", "in", [segment.pk]), "in “Loyal”"),
        (leaf("random_bucket", "between", [bucket, bucket]), str(bucket)),
    ]
    assert {node["type"] for node, _value in all_values} == {
        kind.type for module in catalogue.GROUPS for kind in module.KINDS
    }
    found = answers(workspace, "u-1", *(node for node, _value in all_values))
    for place, (node, value) in enumerate(all_values):
        is_met, told = found[f"/root/children/{place}"]
        assert (is_met, told.replace("\xa0", " ")) == (True, value), node
    assert found["/root"] == (True, "")


def test_every_filter_that_is_not_met_says_what_there_is_instead(workspace):
    ProfileFactory.create(external_id="nobody", email="")
    cohort = CohortFactory(name="VIP")
    segment = SegmentFactory.create(name="Loyal", definition=definition(leaf("country", "is_not_blank")))
    nodes = {
        "nothing": [node for node, _value in VALUES if node["type"] in ("email", "age", "gender", "country")],
        "has none": [leaf("push_token", "has")],
        "0": [leaf("device", "has")],
        "in none of these cohorts": [cohorts(cohort.pk)],
        "in none of these segments": [leaf("segment", "in", [segment.pk])],
        "not in it now": [leaf("cohort_moves", "entered_in_last_days", 9, subject=cohort.pk)],
        "never": [leaf("custom_event", "has_done", subject="bought")],
    }
    for value, asked in nodes.items():
        found = answers(workspace, "nobody", *asked)
        for place in range(len(asked)):
            assert found[f"/root/children/{place}"] == (False, value), asked[place]


def test_who_left_a_cohort_and_came_back_is_in_it_now_and_who_only_left_is_not(workspace):
    back, left = ProfileFactory.create(external_id="back"), ProfileFactory.create(external_id="left")
    cohort = CohortFactory(members=[back, left])
    change_members(cohort, [back, left], kind=CohortDelta.Kind.REMOVED, now=NOW - timedelta(hours=2))
    change_members(cohort, [back], now=NOW)
    moved = leaf("cohort_moves", "left_in_last_days", 2, subject=cohort.pk)
    assert answers(workspace, "back", moved)["/root/children/0"] == (True, "in it now")
    assert answers(workspace, "left", moved)["/root/children/0"] == (True, "not in it now")


def test_groups_are_ticked_too_and_what_is_unfinished_is_not_mentioned(workspace, ada):
    found = answers(
        workspace,
        "u-1",
        group(leaf("country", "is_one_of", ["DE"]), leaf("language", "is_one_of", ["fr"]), operator="or"),
        group(leaf("country", "is_one_of", ["FR"]), exclude=True),
        leaf("email", "is"),
        group(),
    )
    assert {pointer: is_met for pointer, (is_met, _value) in found.items()} == {
        "/root": False,
        "/root/children/0": True,
        "/root/children/0/children/0": False,
        "/root/children/0/children/1": True,
        "/root/children/1": False,
        "/root/children/1/children/0": True,
    }


@pytest.mark.parametrize(
    "identifier", ["u-1", " u-1 ", "ada@people.example", "+33612345678", "phone", "crm:7"]
)
def test_a_user_is_found_by_any_identifier(workspace, ada, identifier):
    found = explained(workspace, identifier, leaf("identity", "identified"))
    assert [person["id"] for person in found["found"]] == [ada.pk]
    assert found["note"] == ""
    assert found["found"][0]["verdict"] == "Ada Almeida is in this segment."
    assert explained(workspace, identifier, leaf("identity", "anonymous"))["found"][0]["verdict"] == (
        "Ada Almeida is not in this segment."
    )


def test_all_who_share_an_address_are_explained_up_to_a_few(workspace, ada):
    ben = ProfileFactory.create(email=ada.email, country="DE")
    found = explained(workspace, ada.email, leaf("country", "is_one_of", ["FR"]))["found"]
    assert {person["id"]: person["is_member"] for person in found} == {ada.pk: True, ben.pk: False}
    ProfileFactory.create_batch(9, email=ada.email)
    assert (
        len(explained(workspace, ada.email, leaf("identity", "identified"))["found"]) == explaining.MAX_PEOPLE
    )


def test_nobody_found_says_so(workspace, other_workspace, ada):
    ProfileFactory.create(workspace=other_workspace, external_id="theirs")
    gone = ProfileFactory.create(external_id="gone", email="gone@people.example")
    erase(gone)
    for identifier in ("nobody", "theirs", "gone", gone.email, str(gone.pk), "U-1"):
        found = explained(workspace, identifier, leaf("identity", "identified"))
        assert found == {"found": [], "note": "No user has this ID, email address or phone number."}


def test_an_explanation_agrees_with_the_audience(workspace, ada):
    ProfileFactory.create(external_id="u-2", country="DE")
    nodes = [leaf("country", "is_one_of", ["FR"]), group(leaf("language", "is_not_blank"), exclude=True)]
    for options in ({}, {"operator": "or"}, {"exclude": True}, {"operator": "or", "exclude": True}):
        tree = filters.parse(definition(*nodes, **options))
        members = audience.members(workspace=workspace, tree=tree, now=NOW)
        for identifier in ("u-1", "u-2"):
            (person,) = explained(workspace, identifier, *nodes, **options)["found"]
            assert person["is_member"] == (person["id"] in members)
            assert person["nodes"]["/root"]["is_met"] == person["is_member"]
