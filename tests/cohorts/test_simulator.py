"""The simulator against a scripted server (how it reacts) and against the real one (that the cohorts are right)."""

import base64
from collections.abc import Iterator
from threading import Thread

import pytest
from django.core.management import CommandError, call_command

from cohorts import membership, simulator, simulator_http
from cohorts.models import Cohort, CohortSync
from cohorts.simulator import Action, Protocol, Sync
from cohorts.simulator_http import Client, SyncFailedError, SyncPausedError
from profiles import universe
from profiles.models import Profile
from tests.accounts.factories import make_key
from tests.cohorts.scripted_server import Clock, ScriptedServer
from tests.profiles.factories import ProfileFactory, make_people


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def post(server: ScriptedServer, clock: Clock, **options) -> dict:
    client = Client(server.url, headers={}, sleep=clock.sleep, clock=lambda: clock.now, **options)
    try:
        return client.post("/x", {"a": 1})
    finally:
        client.close()


def make_sync(endpoint: str, **more) -> Sync:
    options = {
        "endpoint": endpoint,
        "key": "rc_secret",
        "protocol": Protocol.WEBHOOK,
        "cohort_id": "7",
        "name": "Lapsed",
        "action": Action.MEMBERS,
    }
    return Sync(**(options | more))


def send(sync: Sync, path) -> simulator.Summary:
    with path.open("rb") as source:
        return list(simulator.run(sync, source))[-1]


@pytest.fixture
def members(tmp_path):
    """A file of five members."""
    path = tmp_path / "members.csv"
    path.write_text("mixpanel_distinct_id,email\n" + "".join(f"u{n},u{n}@example.com\n" for n in range(5)))
    return path


# --- how it reacts -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", [429, 500, 503, 520])
def test_passing_trouble_is_tried_again_until_it_is_over(server, status):
    clock = Clock()
    server.script = [(status, "", {})] * 3 + [(200, '{"ok": true}', {})]
    assert post(server, clock) == {"ok": True}
    assert clock.pauses == [1, 2, 4]


def test_five_retries_within_a_minute_are_all(server):
    clock = Clock()
    server.script = [(503, '{"message": "away"}', {})] * 20
    with pytest.raises(SyncFailedError, match="503: away"):
        post(server, clock)
    assert len(server.calls) == 6
    assert sum(clock.pauses) <= 60


def test_retry_after_is_waited_for(server):
    clock = Clock()
    server.script = [(503, "", {"Retry-After": "10"})] * 5
    post(server, clock)
    assert clock.pauses == [10, 10, 10, 10, 16]


def test_retry_after_the_minute_ends_the_attempt(server):
    clock = Clock()
    server.script = [(429, "", {"Retry-After": "61"})]
    with pytest.raises(SyncFailedError):
        post(server, clock)
    assert clock.pauses == []


def test_silence_is_passing_too():
    clock = Clock()
    with ScriptedServer() as gone:
        pass
    with pytest.raises(SyncFailedError, match="no answer"):
        post(gone, clock)
    assert clock.pauses == list(simulator_http.RETRY_AFTER_SECONDS)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_what_needs_a_person_pauses_at_once_with_the_server_s_message(server, status):
    clock = Clock()
    server.script = [(status, '{"error": {"message": "Unknown data import key."}}', {})]
    with pytest.raises(SyncPausedError) as paused:
        post(server, clock)
    assert (paused.value.status, paused.value.message) == (status, "Unknown data import key.")
    assert paused.value.advice
    assert clock.pauses == []


# --- what it sends -------------------------------------------------------------------------------------------
def test_webhook_pages_share_a_session_and_are_numbered(server, members):
    send(make_sync(f"{server.url}/prefix/", page_size=2), members)
    parameters = [body["parameters"] for _path, _headers, body in server.calls]
    assert {path for path, *_ in server.calls} == {"/prefix/partners/mixpanel/webhook"}
    assert [each["page_info"] for each in parameters] == [
        {"total_pages": 3, "page_count": number} for number in (1, 2, 3)
    ]
    assert len({each["mixpanel_session_id"] for each in parameters}) == 1
    assert [len(each["members"]) for each in parameters] == [2, 2, 1]
    assert parameters[0]["members"][0] == {"mixpanel_distinct_id": "u0", "email": "u0@example.com"}
    credentials = base64.b64encode(b"mixpanel:rc_secret").decode()
    assert {headers["Authorization"] for _path, headers, _body in server.calls} == {f"Basic {credentials}"}


def test_empty_file_is_one_empty_page(server, tmp_path):
    path = tmp_path / "none.csv"
    path.write_text("user_id\n")
    summary = send(make_sync(server.url), path)
    (_path, _headers, body) = server.calls[0]
    assert body["parameters"]["page_info"] == {"total_pages": 1, "page_count": 1}
    assert (summary.pages, summary.members, body["parameters"]["members"]) == (1, 0, [])


def test_partner_names_the_cohort_before_every_batch_and_sends_each_identifier_in_its_list(server, tmp_path):
    path = tmp_path / "members.csv"
    path.write_text(
        "user_id,$device_id,alias:crm,mixpanel_distinct_id\nu1,d1,c1,m1\n,d2,c2,\n,,c3,\n,,,$device:d4\n"
    )
    sync = make_sync(server.url, protocol=Protocol.PARTNER, action=Action.REMOVE_MEMBERS, is_gzipped=True)
    send(sync, path)
    (name_path, _, named), (users_path, headers, changed) = server.calls
    assert (name_path, users_path) == ("/partners/mixpanel/cohorts", "/partners/mixpanel/cohorts/users")
    assert (named["client_secret"], named["cohort_id"], named["name"]) == ("rc_secret", "7", "Lapsed")
    assert changed["cohort_changes"] == [
        {
            "user_ids": ["u1"],
            "device_ids": ["d2", "d4"],
            "aliases": [{"alias_label": "crm", "alias_name": "c3"}],
            "should_remove": True,
        }
    ]
    assert headers["Content-Encoding"] == "gzip"


def test_shuffled_and_repeated_pages_are_every_page_twice(server, members):
    summary = send(make_sync(server.url, page_size=1, shuffle_pages=True, repeat_pages=True), members)
    pages = [body["parameters"]["page_info"]["page_count"] for *_, body in server.calls]
    assert sorted(pages) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    sent = {
        body["parameters"]["page_info"]["page_count"]: body["parameters"]["members"]
        for *_, body in server.calls
    }
    assert [sent[page][0]["mixpanel_distinct_id"] for page in range(1, 6)] == ["u0", "u1", "u2", "u3", "u4"]
    assert (summary.pages, summary.members, summary.requests) == (10, 10, 10)


# --- against the real server ---------------------------------------------------------------------------------
def names_in(cohort_id: str) -> set[str | None]:
    cohort = Cohort.objects.get(partner_cohort_id=cohort_id)
    live = universe.live(workspace_id=cohort.workspace_id)
    ids = membership.members(cohort_ids=[cohort.pk], within=live)[cohort.pk]
    return set(Profile.objects.in_bitmap(ids).values_list("external_id", flat=True))


@pytest.mark.django_db(transaction=True)
def test_untidy_full_sync_arrives_whole(workspace, live_server, members):
    make_people(workspace, [f"u{n}" for n in range(10)])
    _, secret = make_key(workspace)
    sync = make_sync(
        live_server.url, key=secret, page_size=2, shuffle_pages=True, repeat_pages=True, is_gzipped=True
    )
    send(sync, members)
    assert names_in("7") == {"u0", "u1", "u2", "u3", "u4"}
    (known,) = CohortSync.objects.all()
    assert (known.status, known.received_count, known.matched_count) == (CohortSync.Status.COMPLETE, 5, 5)


@pytest.mark.django_db(transaction=True)
def test_partner_protocol_adds_removes_and_tells_who_matched(workspace, live_server, members, tmp_path):
    make_people(workspace, ["u0", "u1", "u2"])
    ProfileFactory(anonymous=True, devices=["d1"])
    _, secret = make_key(workspace)
    sync = make_sync(live_server.url, key=secret, protocol=Protocol.PARTNER)
    summary = send(sync, members)
    assert (summary.matched, summary.unmatched) == (3, 2)
    devices = tmp_path / "devices.csv"
    devices.write_text("$device_id\nd1\n")
    send(sync, devices)
    assert names_in("7") == {"u0", "u1", "u2", None}
    send(
        make_sync(live_server.url, key=secret, protocol=Protocol.PARTNER, action=Action.REMOVE_MEMBERS),
        members,
    )
    assert names_in("7") == {None}


# --- the command ---------------------------------------------------------------------------------------------
def command(server: ScriptedServer, file, *more: str) -> None:
    options = ["--endpoint", server.url, "--key", "k", "--cohort-id", "7", "--name", "Lapsed"]
    call_command("simulate_mixpanel", *options, "--from", str(file), *more)


def test_command_sums_up_what_was_sent(server, members, capsys):
    command(server, members, "--page-size", "2", "--gzip")
    told = capsys.readouterr()
    assert "3 pages, 5 members in 3 requests; the webhook does not tell how many matched" in told.out
    assert "Lapsed" in told.err


def test_command_tells_the_partner_protocol_s_counts(server, members, capsys):
    server.script = [(201, "{}", {}), (201, '{"matched": 4, "unmatched": 1}', {})]
    command(server, members, "--protocol", "partner", "--action", "add_members")
    assert "1 pages, 5 members in 2 requests; 4 matched, 1 unmatched" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            (401, '{"error": {"message": "Unknown data import key."}}', {}),
            "pauses this sync. 401: Unknown(.|\n)*create",
        ),
        ((429, "slow down", {"Retry-After": "90"}), "All retries failed. 429: slow down"),
    ],
)
def test_command_fails_with_the_server_s_message_and_what_to_do(server, members, script, reason):
    server.script = [script]
    with pytest.raises(CommandError, match=reason):
        command(server, members)


@pytest.mark.parametrize(
    ("text", "more", "reason"),
    [
        (b"", (), "name the columns"),
        (b"\xff", (), "decode"),
        (b"user_id\n", ("--page-size", "0"), "at least 1 member"),
        (b"user_id\n", ("--endpoint", "ftp://example.com"), "no address"),
    ],
)
def test_command_refuses_what_it_cannot_send(server, tmp_path, text, more, reason):
    path = tmp_path / "members.csv"
    path.write_bytes(text)
    with pytest.raises(CommandError, match=reason):
        command(server, path, *more)
    assert server.calls == []
