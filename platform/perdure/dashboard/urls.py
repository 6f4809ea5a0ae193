from django.urls import path

from perdure.dashboard.bulk import views as bulk
from perdure.dashboard.compare import views as comparisons
from perdure.dashboard.definitions import views as definitions
from perdure.dashboard.flow import views as flows
from perdure.dashboard.home import views as home
from perdure.dashboard.inbox import views as questions
from perdure.dashboard.operations import cleanup
from perdure.dashboard.run import actions, artifacts, audit, forking, log, tree
from perdure.dashboard.run import questions as run_questions
from perdure.dashboard.run import views as run
from perdure.dashboard.run.conversation import views as conversation
from perdure.dashboard.run.graph import views as graph
from perdure.dashboard.run.state import views as state
from perdure.dashboard.run.steps import views as steps
from perdure.dashboard.run.timeline import views as timeline
from perdure.dashboard.run_list import export, saved_views
from perdure.dashboard.run_list import views as run_list
from perdure.dashboard.schedules import calendar_page
from perdure.dashboard.schedules import views as schedules
from perdure.dashboard.settings import notifications, teams, tokens
from perdure.dashboard.start import presets
from perdure.dashboard.start import views as jobs
from perdure.dashboard.styleguide.views import show_styleguide
from perdure.dashboard.usage import views as usage
from perdure.dashboard.workers import views as workers

app_name = "dashboard"
urlpatterns = [
    path("", home.show_home, name="home"),
    path("runs/", run_list.show_runs, name="run-list"),
    path("runs/rows/", run_list.show_rows, name="run-list-rows"),
    path("runs/export/", export.export_runs, name="run-export"),
    path("runs/views/", saved_views.save_view, name="run-view-save"),
    path("runs/views/<int:view_id>/delete/", saved_views.delete_view, name="run-view-delete"),
    path("runs/bulk/", bulk.change_runs, name="run-bulk"),
    path("runs/<uuid:run_id>/", run.show_run, name="run"),
    path("runs/<uuid:run_id>/log/", log.show_log, name="run-log"),
    path("runs/<uuid:run_id>/compare/", comparisons.choose_run, name="run-compare-choose"),
    path("runs/<uuid:run_id>/compare/<uuid:other_id>/", comparisons.compare_runs, name="run-compare"),
    path("runs/<uuid:run_id>/conversation/", conversation.show_conversation, name="run-conversation"),
    path("runs/<uuid:run_id>/timeline/", timeline.show_timeline, name="run-timeline"),
    path("runs/<uuid:run_id>/timeline/rows/", timeline.read_lanes, name="run-timeline-rows"),
    path("runs/<uuid:run_id>/steps/", steps.show_steps, name="run-steps"),
    path("runs/<uuid:run_id>/steps/rows/", steps.read_steps, name="run-steps-rows"),
    path("runs/<uuid:run_id>/graph/", graph.show_graph, name="run-graph"),
    path("runs/<uuid:run_id>/state/", state.show_state, name="run-state"),
    path("runs/<uuid:run_id>/step/", steps.show_step, name="run-step"),
    path("runs/<uuid:run_id>/questions/", run_questions.show_questions, name="run-questions"),
    path("runs/<uuid:run_id>/files/", artifacts.show_files, name="run-files"),
    path("runs/<uuid:run_id>/tree/", tree.show_tree, name="run-tree"),
    path("runs/<uuid:run_id>/audit/", audit.show_audit, name="run-audit"),
    path("runs/<uuid:run_id>/fork/", forking.fork_run, name="run-fork"),
    path("runs/<uuid:run_id>/artifact/", artifacts.show_artifact, name="run-artifact"),
    path("runs/<uuid:run_id>/cancel/", actions.act, {"action": "cancel"}, name="run-cancel"),
    path("runs/<uuid:run_id>/resume/", actions.act, {"action": "resume"}, name="run-resume"),
    path("runs/<uuid:run_id>/pause/", actions.act, {"action": "pause"}, name="run-pause"),
    path("runs/<uuid:run_id>/retry/", actions.act, {"action": "retry"}, name="run-retry"),
    path("runs/<uuid:run_id>/again/", actions.act, {"action": "again"}, name="run-again"),
    path("runs/<uuid:run_id>/signal/", actions.send_signal, name="run-signal"),
    path("runs/<uuid:run_id>/flow/continue/", flows.let_go_on, name="run-flow-continue"),
    path("runs/<uuid:run_id>/flow/stepping/", flows.set_stepping, name="run-flow-stepping"),
    path("runs/<uuid:run_id>/flow/tell/", flows.tell_flow, name="run-flow-tell"),
    path("runs/<uuid:run_id>/delete/", actions.act, {"action": "delete"}, name="run-delete"),
    path("workers/", workers.show_workers, name="workers"),
    path("usage/", usage.show_usage, name="usage"),
    path("usage/export/", usage.export_usage, name="usage-export"),
    path("cleanup/", cleanup.clean_up, name="cleanup"),
    path("jobs/", jobs.show_jobs, name="job-list"),
    path("inbox/", questions.show_inbox, name="inbox"),
    path("inbox/count/", questions.count_waiting, name="inbox-count"),
    path("questions/<uuid:question_id>/", questions.show_question, name="question"),
    path("questions/<uuid:question_id>/comment/", questions.comment_question, name="question-comment"),
    path("questions/<uuid:question_id>/delegate/", questions.delegate_question, name="question-delegate"),
    path("questions/<uuid:question_id>/withdraw/", questions.withdraw_question, name="question-withdraw"),
    path("schedules/", schedules.show_schedules, name="schedule-list"),
    path("schedules/calendar/", calendar_page.show_calendar, name="schedule-calendar"),
    path("schedules/new/", schedules.choose_job, name="schedule-job"),
    path("schedules/flows/<str:name>/", schedules.new_flow_schedule, name="schedule-new-flow"),
    path("schedules/new/<str:name>/", schedules.new_schedule, name="schedule-new"),
    path("schedules/<uuid:schedule_id>/", schedules.show_schedule, name="schedule"),
    path("schedules/<uuid:schedule_id>/edit/", schedules.edit_schedule, name="schedule-edit"),
    path("schedules/<uuid:schedule_id>/pause/", schedules.pause_schedule, name="schedule-pause"),
    path("schedules/<uuid:schedule_id>/resume/", schedules.resume_schedule, name="schedule-resume"),
    path("schedules/<uuid:schedule_id>/run/", schedules.run_schedule, name="schedule-run"),
    path("schedules/<uuid:schedule_id>/delete/", schedules.delete_schedule, name="schedule-delete"),
    path("settings/", tokens.show_tokens, name="settings"),
    path("settings/notifications/", notifications.show_notifications, name="settings-notifications"),
    path("settings/teams/", teams.show_teams, name="settings-teams"),
    path("settings/teams/<int:team_id>/add/", teams.add_member, name="team-add"),
    path("settings/teams/<int:team_id>/remove/", teams.remove_member, name="team-remove"),
    path("settings/tokens/<int:token_id>/revoke/", tokens.revoke_token, name="token-revoke"),
    path("presets/<uuid:preset_id>/start/", presets.start_preset, name="preset-start"),
    path("presets/<uuid:preset_id>/delete/", presets.delete_preset, name="preset-delete"),
    path("definitions/", definitions.show_definitions, name="definition-list"),
    path("pipelines/<str:name>/", definitions.show_pipeline, name="pipeline"),
    path("flows/<str:name>/", definitions.show_flow, name="flow"),
    path("start/<str:name>/", jobs.start_job, name="start"),
    path("styleguide/", show_styleguide, name="styleguide"),
]
