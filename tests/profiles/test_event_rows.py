"""What one event says, and what is said of one that cannot be imported."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles import event_rows, matching
from profiles.event_rows import EventFaultError
from tests.profiles.event_data import TIME, exported

ANN = "e:ann"


def keys(**properties: Any) -> list[str]:
    return list(event_rows.read(exported(**properties)).keys)


def fault(raw: Any) -> str:
    with pytest.raises(EventFaultError) as error:
        event_rows.read(raw)
    return str(error.value)


@pytest.mark.parametrize(
    "time",
    [TIME, TIME * 1_000, float(TIME), str(TIME), f"{TIME}000", f"{TIME}.0", TIME * 1_000.0],
)
def test_times_are_seconds_or_milliseconds_as_numbers_or_text(time):
    assert event_rows.read(exported(time=time)).at == TIME * 1_000_000


@pytest.mark.parametrize("time", [TIME + 0.25, TIME * 1_000 + 250, f"{TIME}.25"])
def test_fractions_of_seconds_are_kept(time):
    assert event_rows.read(exported(time=time)).at == TIME * 1_000_000 + 250_000


@pytest.mark.parametrize("time", [0, -1, -(10**12), 1_262_303_999])
def test_times_of_long_ago_are_read(time):
    assert event_rows.read(exported(time=time)).at < 1_262_304_000_000_000


@pytest.mark.parametrize(
    "time", [None, True, "", "yesterday", "2026-01-31", "nan", "inf", "1e999", [TIME], {"$date": TIME}]
)
def test_other_times_are_at_fault(time):
    assert fault(exported(time=time)).startswith("properties.time must be a number")


@pytest.mark.parametrize("time", [TIME * 10**6, 2**63, -(2**63), 1e300, "9" * 40])
def test_times_that_no_calendar_holds_are_at_fault(time):
    assert "after the year 9999" in fault(exported(time=time))


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, [ANN, "a:mixpanel_distinct_id:ann"]),
        ({"distinct_id": 7}, ["e:7", "a:mixpanel_distinct_id:7"]),
        ({"distinct_id": "$device:d1"}, ["d:d1", "e:$device:d1", "a:mixpanel_distinct_id:$device:d1"]),
        ({"$device_id": "d1"}, ["d:d1", ANN, "a:mixpanel_distinct_id:ann"]),
        ({"$user_id": "u", "$device_id": "d1"}, ["e:u", "d:d1", ANN, "a:mixpanel_distinct_id:ann"]),
        ({"distinct_id": None, "$user_id": "u"}, ["e:u"]),
        ({"distinct_id": "", "$device_id": "d1"}, ["d:d1"]),
        ({"user_id": "somebody else", "external_id": "another"}, [ANN, "a:mixpanel_distinct_id:ann"]),
        ({"$braze_external_id": "b"}, ["e:b", ANN, "a:mixpanel_distinct_id:ann"]),
        ({"distinct_id": ""}, []),
    ],
)
def test_users_are_named_as_members_of_cohorts_are(properties, expected):
    assert keys(**properties) == expected


def test_the_operators_own_property_comes_first():
    event = event_rows.read(exported(crm="c-1", **{"$user_id": "u"}), external_id_property="crm")
    assert event.keys[:2] == ["e:c-1", "e:u"]


@pytest.mark.parametrize("nobody", sorted(matching.NOBODY - {""}))
def test_who_stands_for_nobody_is_at_fault(nobody):
    assert fault(exported(distinct_id=nobody.upper())).startswith("properties.distinct_id “")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (None, "An event must be a JSON object."),
        ([exported()], "An event must be a JSON object."),
        (b'{"event": ', "Malformed JSON"),
        (b"\xff", "Malformed JSON"),
        ({"properties": {}}, "event must be a string that is not blank."),
        (exported(name=" "), "event must be a string that is not blank."),
        (exported(name=7), "event must be a string that is not blank."),
        (exported(name="x" * 256), "event has 256 characters; 255 are allowed."),
        (exported(name="a\0"), "event holds a NUL character."),
        ({"event": "x"}, "properties must be an object."),
        (exported(distinct_id=None), "properties.distinct_id is missing."),
        (exported(distinct_id=1.5), "properties.distinct_id must be a string."),
        (exported(distinct_id=["ann"]), "properties.distinct_id must be a string."),
        (exported(distinct_id="a\0"), "properties.distinct_id holds a NUL character."),
        (exported(**{"$user_id": "a\0"}), "properties.distinct_id holds a NUL character."),
        (exported(**{"$insert_id": ["x"]}), "properties.$insert_id must be a string."),
    ],
)
def test_faults_name_the_member_and_what_is_allowed(raw, message):
    assert fault(raw).startswith(message)


def test_a_line_of_json_is_read_as_its_value():
    assert event_rows.read(orjson.dumps(exported())) == event_rows.read(exported())


def test_digests_begin_with_the_time_and_differ_by_all_that_tells_events_apart():
    events = [
        exported(),
        exported(name="other"),
        exported(time=TIME + 1),
        exported(time=TIME + 0.001),
        exported(distinct_id="ben"),
        exported(**{"$insert_id": "1"}),
        exported(**{"$insert_id": "2"}),
        exported(name="a", distinct_id="bc"),
        exported(name="ab", distinct_id="c"),
    ]
    digests = [event_rows.read(event).digest for event in events]
    assert len(set(digests)) == len(events)
    assert {len(digest) for digest in digests} == {event_rows.DIGEST_BYTES}
    assert digests[0][:4] == TIME.to_bytes(4, "big")


def test_the_same_event_has_one_digest_whatever_else_it_carries():
    event = event_rows.read(exported(**{"$insert_id": "1"}))
    for same in (
        exported(time=TIME * 1_000, **{"$insert_id": "1"}),
        exported(**{"$insert_id": "1", "mp_processing_time_ms": 9, "$city": "Rome"}),
    ):
        assert event_rows.read(same).digest == event.digest


def test_an_event_at_fault_is_known_by_its_insert_id():
    assert event_rows.insert_id_of(exported(time=None, **{"$insert_id": "1"})) == "1"
    for nameless in (None, b"{", {"properties": 3}, exported(), exported(**{"$insert_id": 5})):
        assert event_rows.insert_id_of(nameless) == ""


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)
NAMES = ["time", "distinct_id", "$insert_id", "$user_id", "$device_id", "$braze_external_id"]
PROPERTIES = st.dictionaries(st.sampled_from(NAMES), VALUES)


@given(VALUES | st.fixed_dictionaries({}, optional={"event": VALUES, "properties": VALUES | PROPERTIES}))
def test_anything_is_an_event_or_a_fault(raw):
    field, event = "", None
    try:
        event = event_rows.read(raw)
    except EventFaultError as error:
        field = error.field
    if event is None:
        assert re.match(r"\A(|event|properties(\..+)?)\Z", field)
        return
    assert len(event.digest) == event_rows.DIGEST_BYTES
    assert 0 < len(event.name) <= 255
    assert not any("\0" in key for key in event.keys)
