import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts import keys
from accounts.models import DataImportKey


def create(capsys, *arguments: str) -> str:
    call_command("create_data_import_key", *arguments)
    return capsys.readouterr().out


def test_key_alone_is_printed_and_works(workspace, capsys):
    printed = create(capsys, "--workspace", "default", "--partner", "mixpanel", "--label", "Staging")
    secret = printed.removesuffix("\n")
    assert printed == f"{secret}\n"
    key = keys.verify(secret=secret, partner="mixpanel", now=timezone.now())
    assert (key.integration.workspace, key.label, key.created_by) == (workspace, "Staging", None)


def test_every_call_creates_another_key_and_the_older_stay_valid(workspace, capsys):
    first, second = (create(capsys, "--workspace", "default", "--partner", "mixpanel") for _ in range(2))
    assert first != second
    assert DataImportKey.objects.valid().for_partner(workspace, "mixpanel").count() == 2


@pytest.mark.parametrize(
    ("workspace_slug", "partner", "label", "reason"),
    [
        ("nowhere", "mixpanel", "", "no workspace “nowhere”"),
        ("default", "Mix Panel", "", "“Mix Panel” is no partner"),
        ("default", "mixpanel", "x" * 101, "101 characters"),
    ],
)
def test_what_cannot_be_is_refused_and_creates_nothing(workspace, workspace_slug, partner, label, reason):
    with pytest.raises(CommandError, match=reason):
        call_command(
            "create_data_import_key", "--workspace", workspace_slug, "--partner", partner, "--label", label
        )
    assert not DataImportKey.objects.exists()
