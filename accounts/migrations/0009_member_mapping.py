"""Which property of a member is the identifier becomes a list of rules; the one property that could be named stays first."""

from django.db import migrations, models

USUAL = [
    *(
        {"property": name, "identifier": "external_id"}
        for name in ("$braze_external_id", "braze_external_id", "external_id", "$user_id", "user_id")
    ),
    {"property": "$device_id", "identifier": "device_id"},
    {"property": "mixpanel_distinct_id", "identifier": "device_id"},
    {"property": "mixpanel_distinct_id", "identifier": "external_id"},
    {"property": "mixpanel_distinct_id", "identifier": "alias", "label": "mixpanel_distinct_id"},
]


def to_rules(apps, schema_editor):
    for integration in apps.get_model("accounts", "Integration").objects.exclude(external_id_property=""):
        own = {"property": integration.external_id_property, "identifier": "external_id"}
        integration.member_mapping = [own, *(rule for rule in USUAL if rule != own)]
        integration.save(update_fields=["member_mapping"])


def to_property(apps, schema_editor):
    usual = {rule["property"] for rule in USUAL}
    for integration in apps.get_model("accounts", "Integration").objects.all():
        own = [
            rule["property"]
            for rule in integration.member_mapping
            if rule["identifier"] == "external_id" and rule["property"] not in usual
        ]
        integration.external_id_property = own[0] if own else ""
        integration.save(update_fields=["external_id_property"])


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0008_integrations_calls_and_allotments'),
    ]

    operations = [
        migrations.AddField(
            model_name='integration',
            name='member_mapping',
            field=models.JSONField(blank=True, default=list, help_text='Rules of `profiles/mapping.py` in their order; none for the usual ones.', verbose_name='member properties'),
        ),
        migrations.RunPython(to_rules, to_property),
        migrations.RemoveField(
            model_name='integration',
            name='external_id_property',
        ),
        migrations.AlterField(
            model_name='integration',
            name='partner_api_key_digest',
            field=models.CharField(blank=True, default='', max_length=64, verbose_name='partner API key'),
        ),
    ]
