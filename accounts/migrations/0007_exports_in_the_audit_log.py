"""The audit log says who exported the members of a segment, and who took the file. No column changes."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_words_of_the_audit_log'),
    ]

    operations = [
        migrations.AlterField(
            model_name='auditentry',
            name='action',
            field=models.CharField(choices=[('rest_key_created', 'REST API key created'), ('rest_key_invalidated', 'REST API key invalidated'), ('import_key_created', 'Data import key created'), ('import_key_invalidated', 'Data import key invalidated'), ('user_edited', 'User edited'), ('user_alias_added', 'Alias added to user'), ('user_identified', 'User identified'), ('user_renamed', 'External ID of user changed'), ('users_merged', 'Users merged'), ('user_downloaded', 'Data of user downloaded'), ('user_erased', 'User erased'), ('export_ordered', 'Members of segment exported'), ('export_downloaded', 'Export of segment downloaded')], max_length=30, verbose_name='action'),
        ),
    ]
