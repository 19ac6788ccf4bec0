"""Every filter of a definition gets the same shape: subject, operator, value."""

from django.db import migrations


def to_version_2(apps, schema_editor):
    segments = apps.get_model("segments", "Segment").objects.all()
    for segment in segments.only("definition").iterator():
        if isinstance(segment.definition, dict) and segment.definition.get("version") == 1:
            segment.definition = {"version": 2, "root": _node(segment.definition.get("root"))}
            segment.save(update_fields=["definition"])


def _node(node):
    if not isinstance(node, dict):
        return node
    if node.get("type") == "group":
        return {**node, "children": [_node(child) for child in node.get("children", [])]}
    return {
        "type": "cohort",
        "subject": node.get("partner"),
        "operator": node.get("operator"),
        "value": node.get("cohorts"),
    }


class Migration(migrations.Migration):
    dependencies = [("segments", "0003_tags_versions_sizes_exports")]
    operations = [migrations.RunPython(to_version_2, migrations.RunPython.noop)]
