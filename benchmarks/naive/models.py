"""One row per membership."""

from django.db import models


class NaiveMember(models.Model):
    """A profile in a cohort. The table is made and dropped by the benchmark."""

    cohort_id = models.IntegerField()
    profile_id = models.IntegerField()

    class Meta:
        app_label = "naive"
        managed = False
        db_table = "naive_member"
