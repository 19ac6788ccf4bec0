"""Any tree of any filters over any data selects whom a naive evaluation in Python selects, on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from profiles import changes, events, matching
from profiles.events import Kind, Occurrence
from profiles.models import CustomEvent, Identifier, Profile
from segments import audience, filters
from segments.filters import catalogue
from tests.accounts.factories import WorkspaceFactory
from tests.cohorts.factories import CohortFactory
from tests.profiles.factories import mark_existence
from tests.segments.definitions import definition, group, leaf
from tests.segments.factories import SegmentFactory
from tests.segments.naive import Person, World

pytestmark = pytest.mark.django_db
NOW = datetime(2028, 3, 1, 9, 30, tzinfo=UTC)  # the day after 29 February
PEOPLE, COHORTS = 12, 3
WORDS = ["", "a", "ab", "b a", "é", "A", 'q"\\', "50%_"]
NAMES = ["plan", 'odd "name"\\', "$.x", "é"]
moments = st.integers(-40, 40).map(lambda hours: NOW + timedelta(hours=hours * 9, microseconds=hours))
past = st.integers(0, 60).map(lambda hours: NOW - timedelta(hours=hours * 7))
days = st.integers(-12, 12).map(lambda ago: (NOW - timedelta(days=ago)).date())
births = st.one_of(
    st.none(), st.sampled_from([date(2000, 2, 29), date(2000, 2, 28), date(2000, 3, 1), date(1950, 7, 1)])
)
words = st.sampled_from(WORDS)
times = st.one_of(
    moments.map(lambda it: {"$time": it.isoformat().replace("+00:00", "Z")}),
    moments.map(lambda it: {"$time": it.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+02:00")}),
)
attribute = st.one_of(
    words,
    st.integers(-3, 3),
    st.sampled_from([1.5, 0.1, True, False, None]),
    st.lists(words, max_size=3),
    times,
)
columns = st.fixed_dictionaries(
    {
        "email": words,
        "phone": words,
        "first_name": words,
        "last_name": words,
        "country": words,
        "language": words,
        "time_zone": words,
        "home_city": words,
        "gender": st.sampled_from(["", "M", "F", "O"]),
        "email_subscribe": st.sampled_from(["", *Profile.Subscription.values]),
        "push_subscribe": st.sampled_from(["", *Profile.Subscription.values]),
        "push_tokens": st.sampled_from([[], [{"app_id": "a", "token": "t"}]]),
        "date_of_birth": births,
        "last_session_at": st.one_of(st.none(), moments),
        "created_at": past,
    }
)
people = st.lists(
    st.fixed_dictionaries(
        {
            "columns": columns,
            "attributes": st.dictionaries(st.sampled_from(NAMES), attribute, max_size=4),
            "events": st.dictionaries(
                st.sampled_from(["seen", "bought"]), st.lists(past, min_size=1, max_size=3)
            ),
            "aliases": st.sets(st.sampled_from(["crm", "a"])),
            "is_identified": st.booleans(),
            "has_device": st.booleans(),
            "cohorts": st.sets(st.integers(0, COHORTS - 1)),
        }
    ),
    min_size=1,
    max_size=PEOPLE,
)
VALUES = {
    "text": st.sampled_from([it for it in WORDS if it]),
    "texts": st.lists(st.sampled_from([it for it in WORDS if it]), min_size=1, max_size=3, unique=True),
    "number": st.sampled_from([-2, 0, 1, 1.5, 0.1, 3]),
    "date": days.map(date.isoformat),
}


@st.composite
def leaves(draw):
    """Return a filter of any kind, about any subject, with any value; cohorts and segments by their number."""
    kind = draw(st.sampled_from([kind for group in catalogue.GROUPS for kind in group.KINDS]))
    if kind.type == "cohort_moves":  # tests/segments/test_cohort_moves.py
        return leaf("identity", "identified")
    operator = draw(st.sampled_from(list(kind.operators)))
    subject = {
        "cohort": st.just("mixpanel"),
        "custom_attribute": st.sampled_from(NAMES),
        "custom_event": st.sampled_from(["seen", "bought", "never"]),
        "alias": st.sampled_from(["crm", "a", "other"]),
    }.get(kind.type, st.none())
    return leaf(kind.type, operator.code, draw(value_of(operator)), subject=draw(subject))


def value_of(operator):
    widget = operator.value.widget()
    if operator.code.endswith("matches"):
        return st.sampled_from(["a", "^a", "b$", "[ab]+ ?a", r"^\w+$", "(?i)^ab?$", ".", "é|A", "a{1,2}b*"])
    if widget["widget"] == "texts" and widget.get("of"):
        of = {"cohorts": st.integers(0, COHORTS - 1), "segments": st.integers(0, 1)}[widget["of"]]
        return st.lists(of, min_size=1, max_size=3, unique=True)
    if widget["widget"] == "texts" and widget["choices"]:
        return st.lists(st.sampled_from([it["id"] for it in widget["choices"]]), min_size=1, unique=True)
    if widget["widget"] == "number" and widget["is_whole"]:
        return st.sampled_from([it for it in (0, 1, 2, 3, 9, 27, 28) if widget["min"] <= it])
    if widget["widget"] == "range":
        number = st.integers(0, 9_999) if widget["max"] == 9_999 else st.sampled_from([0, 1, 2, 27, 28, 29])
        return st.lists(number, min_size=2, max_size=2).map(sorted)
    return VALUES.get(widget["widget"], st.none())


trees = st.recursive(
    leaves(),
    lambda children: st.builds(
        lambda them, operator, exclude: group(*them, operator=operator, exclude=exclude),
        st.lists(children, min_size=1, max_size=3),
        st.sampled_from(["and", "or"]),
        st.booleans(),
    ),
    max_leaves=8,
)
nodes = st.lists(trees, min_size=1, max_size=3)


def populate(workspace, sketches):
    """Write people as their sketches have them; return them as the naive evaluation knows them."""
    found = []
    for number, sketch in enumerate(sketches):
        external_id = f"person {number}" if sketch["is_identified"] else None
        profile = Profile.objects.create(
            workspace=workspace,
            external_id=external_id,
            custom_attributes=sketch["attributes"],
            **sketch["columns"],
        )
        keys = {matching.alias_key(label, f"n{number}") for label in sketch["aliases"]}
        if sketch["has_device"]:
            keys.add(matching.device_key(f"device {number}", identified=sketch["is_identified"]))
        Identifier.objects.bulk_create(
            Identifier(workspace=workspace, key=key, profile=profile) for key in keys
        )
        Profile.objects.filter(pk=profile.pk).update(created_at=sketch["columns"]["created_at"])
        person = Person(
            profile.pk,
            {**sketch["columns"], "external_id": external_id},
            sketch["attributes"],
            sketch["events"],
            keys,
            sketch["cohorts"],
        )
        found.append((profile, person))
    mark_existence(*(profile for profile, _person in found))
    happened = [
        Occurrence(person.pk, Kind.CUSTOM, name, "", at)
        for _profile, person in found
        for name, them in person.events.items()
        for at in them
    ]
    events.record(workspace_id=workspace.pk, occurrences=happened, now=NOW)
    return found


def renumbered(node, cohorts, segments):
    """Return a node with the ids of cohorts and segments in place of their numbers."""
    if node["type"] == "group":
        return {**node, "children": [renumbered(child, cohorts, segments) for child in node["children"]]}
    ids = {"cohort": cohorts, "segment": segments}.get(node["type"])
    return {**node, "value": [ids[it] for it in node["value"]]} if ids else node


@given(people, st.lists(nodes, min_size=3, max_size=3))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_tree_over_any_data_selects_what_plain_python_selects(sketches, drafts):
    workspace = WorkspaceFactory.create()
    found = populate(workspace, sketches)
    cohorts = [
        CohortFactory(
            workspace=workspace, members=[profile for profile, person in found if number in person.cohorts]
        ).pk
        for number in range(COHORTS)
    ]
    for _profile, person in found:
        person.cohorts = {cohorts[number] for number in person.cohorts}
    base = SegmentFactory(
        workspace=workspace, definition=definition(leaf("country", "is_one_of", ["a", "ab"]))
    )
    without = [renumbered(node, cohorts, [base.pk, base.pk]) for node in drafts[0]]
    other = SegmentFactory(workspace=workspace, definition=definition(*without))
    world = World(
        [person for _profile, person in found],
        NOW,
        {base.pk: base.definition, other.pk: other.definition},
    )
    for draft in drafts[1:]:
        asked = definition(*(renumbered(node, cohorts, [base.pk, other.pk]) for node in draft))
        tree = filters.parse(asked)
        assert filters.dump(tree) == asked
        expected = world.members(asked)
        assert set(audience.members(workspace=workspace, tree=tree, now=NOW)) == expected
        again = audience.counts(workspace=workspace, tree=tree, now=NOW)  # from what is kept by now
        assert again.size.total == len(expected)
        assert again.sentence
        everybody = audience.segments_by_profile(
            workspace=workspace, profile_ids=[person.pk for person in world.people], now=NOW
        )
        in_other = {pk for pk, segments in everybody.items() if other in segments}
        assert in_other == world.members(other.definition)


@given(people, people, nodes)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_kept_is_repaired_when_people_change(before, after, draft):
    workspace = WorkspaceFactory.create()
    without = [node for node in draft if "cohort" not in str(node) and "segment" not in str(node)]
    asked = definition(*(without or [leaf("identity", "identified")]))
    tree = filters.parse(asked)
    found = populate(workspace, before)
    audience.members(workspace=workspace, tree=tree, now=NOW)
    for (profile, person), sketch in zip(found, after, strict=False):
        rewrite(profile, person, sketch)
    world = World([person for _profile, person in found], NOW)
    assert set(audience.members(workspace=workspace, tree=tree, now=NOW)) == world.members(asked)


def rewrite(profile, person, sketch):
    """Change all that can change of a profile, and tell so, as writers do."""
    written = {name: it for name, it in sketch["columns"].items() if name != "created_at"}
    Profile.objects.filter(pk=profile.pk).update(custom_attributes=sketch["attributes"], **written)
    CustomEvent.objects.filter(profile=profile).delete()
    for kind in (changes.Kind.ATTRIBUTES, changes.Kind.EVENTS):
        changes.record(workspace_id=profile.workspace_id, kind=kind, profile_ids=[profile.pk])
    person.columns |= written
    person.attributes, person.events = sketch["attributes"], {}
