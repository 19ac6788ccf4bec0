import csv
import gzip
import json

from benchmarks import people_data


def test_seed_decides_who_comes():
    assert people_data.users(50, 100, new=0.1, seed=1) == people_data.users(50, 100, new=0.1, seed=1)
    assert people_data.users(50, 100, new=0.1, seed=1) != people_data.users(50, 100, new=0.1, seed=2)


def test_users_come_once_and_the_share_that_was_asked_for_is_new():
    ids = [one.external_id for one in people_data.users(100, 100, new=0.5, seed=1)]
    assert len(set(ids)) == 100
    assert sum(one.startswith("new-") for one in ids) == 50


def test_requests_are_full_and_tell_what_their_answer_must_hold():
    people = people_data.users(100, 100, new=0.1, seed=1)
    attributes = people_data.attribute_pages("key", people)
    assert [page.members for page in attributes] == [75, 25]
    assert attributes[1].proof == b'"attributes_processed":25'
    mixed = people_data.mixed_pages("key", people, 1)
    assert [page.members for page in mixed] == [225, 75]
    assert {name: len(objects) for name, objects in json.loads(mixed[0].body).items()} == {
        "attributes": 75,
        "events": 75,
        "purchases": 75,
    }


def test_clients_share_the_events_between_them():
    events = people_data.occurrences(5_000, 100, seed=1)
    sent = [
        event
        for share in range(2)
        for page in people_data.import_pages("key", events, is_zipped=True, share=share, shares=2)
        for event in json.loads(gzip.decompress(page.body))
    ]
    assert len(sent) == 5_000
    assert {event["properties"]["$insert_id"] for event in sent} == {event.insert_id for event in events}


def test_files_hold_the_rows_of_the_yardsticks(tmp_path):
    people, events = (
        people_data.users(10, 100, new=0.5, seed=1),
        people_data.occurrences(10, 100, seed=1),
    )
    people_data.write_csv(tmp_path / "users.csv", people)
    people_data.write_export(tmp_path / "export.jsonl", events)
    with (tmp_path / "users.csv").open(newline="") as file:
        assert [row["external_id"] for row in csv.DictReader(file)] == [one.external_id for one in people]
    lines = [json.loads(line) for line in (tmp_path / "export.jsonl").read_bytes().splitlines()]
    assert [line["properties"]["time"] for line in lines] == [one.seconds for one in events]
