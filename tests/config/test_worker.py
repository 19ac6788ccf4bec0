import pytest
from django.conf import settings
from django.utils.module_loading import import_string
from django_q import conf
from django_q.models import Schedule

pytestmark = pytest.mark.django_db


def test_every_schedule_names_a_function_that_exists_in_a_syntax_the_worker_can_read():
    schedules = list(Schedule.objects.all())
    assert {schedule.name for schedule in schedules} >= {"Fold what partners sent", "Nightly clean-up"}
    for schedule in schedules:
        assert callable(import_string(schedule.func))
        # django-q2 reads cron expressions only where one more package is installed.
        assert schedule.schedule_type != Schedule.CRON or conf.croniter


def test_task_is_never_started_again_while_it_runs():
    assert settings.Q_CLUSTER["retry"] > settings.Q_CLUSTER["timeout"]
    assert settings.Q_CLUSTER["max_attempts"] >= 1
