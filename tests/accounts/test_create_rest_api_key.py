"""`manage.py create_rest_api_key` prints a key that works, and nothing else."""

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts import keys
from accounts.models import RestApiKey, Scope


def create(capsys, *arguments: str) -> str:
    call_command("create_rest_api_key", *arguments)
    return capsys.readouterr().out


def test_key_alone_is_printed_and_works(workspace, capsys):
    scopes = "users.identify, users.track"
    printed = create(capsys, "--workspace", "default", "--scopes", scopes, "--label", "Staging")
    secret = printed.removesuffix("\n")
    assert printed == f"{secret}\n"
    key = keys.verify_rest(secret=secret, now=timezone.now())
    assert (key.workspace, key.label, key.created_by) == (workspace, "Staging", None)
    assert key.scopes == ["users.track", "users.identify"]


def test_all_is_every_scope(workspace, capsys):
    secret = create(capsys, "--workspace", "default", "--scopes", "all").strip()
    assert keys.verify_rest(secret=secret, now=timezone.now()).scopes == list(Scope)


@pytest.mark.parametrize(
    ("workspace_slug", "scopes", "label", "reason"),
    [
        ("nowhere", "all", "", "no workspace “nowhere”"),
        ("default", "users.fly", "", "no scope “users.fly”. There are: users.track, "),
        ("default", "users.track,", "", "no scope “”"),
        ("default", "all,users.track", "", "no scope “all”"),
        ("default", "", "", "no scope “”"),
        ("default", "all", "x" * 101, "101 characters"),
    ],
)
def test_what_cannot_be_is_refused_and_creates_nothing(workspace, workspace_slug, scopes, label, reason):
    with pytest.raises(CommandError, match=reason):
        call_command(
            "create_rest_api_key", "--workspace", workspace_slug, "--scopes", scopes, "--label", label
        )
    assert not RestApiKey.objects.exists()
