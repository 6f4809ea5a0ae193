from django.urls import path

from perdure.dashboard.views import actions, cleanup, home, jobs, presets, questions, run, run_list, schedules

app_name = "dashboard"
urlpatterns = [
    path("", home.show_home, name="home"),
    path("runs/", run_list.show_runs, name="run-list"),
    path("runs/<uuid:run_id>/", run.show_run, name="run"),
    path("runs/<uuid:run_id>/log/", run.show_log, name="run-log"),
    path("runs/<uuid:run_id>/step/", run.show_step, name="run-step"),
    path("runs/<uuid:run_id>/cancel/", actions.cancel_run, name="run-cancel"),
    path("runs/<uuid:run_id>/resume/", actions.resume_run, name="run-resume"),
    path("runs/<uuid:run_id>/pause/", actions.pause_run, name="run-pause"),
    path("runs/<uuid:run_id>/retry/", actions.retry_run, name="run-retry"),
    path("runs/<uuid:run_id>/again/", actions.retrigger_run, name="run-again"),
    path("runs/<uuid:run_id>/signal/", actions.send_signal, name="run-signal"),
    path("runs/<uuid:run_id>/delete/", actions.delete_run, name="run-delete"),
    path("cleanup/", cleanup.clean_up, name="cleanup"),
    path("jobs/", jobs.show_jobs, name="job-list"),
    path("inbox/", questions.show_inbox, name="inbox"),
    path("inbox/mails/", questions.choose_mails, name="inbox-mails"),
    path("questions/<uuid:question_id>/", questions.show_question, name="question"),
    path("questions/<uuid:question_id>/comment/", questions.comment_question, name="question-comment"),
    path("questions/<uuid:question_id>/delegate/", questions.delegate_question, name="question-delegate"),
    path("questions/<uuid:question_id>/withdraw/", questions.withdraw_question, name="question-withdraw"),
    path("schedules/", schedules.show_schedules, name="schedule-list"),
    path("schedules/new/", schedules.choose_job, name="schedule-job"),
    path("schedules/new/<str:name>/", schedules.new_schedule, name="schedule-new"),
    path("schedules/<uuid:schedule_id>/", schedules.show_schedule, name="schedule"),
    path("schedules/<uuid:schedule_id>/edit/", schedules.edit_schedule, name="schedule-edit"),
    path("schedules/<uuid:schedule_id>/pause/", schedules.pause_schedule, name="schedule-pause"),
    path("schedules/<uuid:schedule_id>/resume/", schedules.resume_schedule, name="schedule-resume"),
    path("schedules/<uuid:schedule_id>/run/", schedules.run_schedule, name="schedule-run"),
    path("schedules/<uuid:schedule_id>/delete/", schedules.delete_schedule, name="schedule-delete"),
    path("presets/<uuid:preset_id>/start/", presets.start_preset, name="preset-start"),
    path("presets/<uuid:preset_id>/delete/", presets.delete_preset, name="preset-delete"),
    path("start/<str:name>/", jobs.start_job, name="start"),
]
