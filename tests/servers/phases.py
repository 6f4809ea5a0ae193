"""What is run on which database."""

from dataclasses import dataclass

# The worker's processes, commands, whole reports and streams on a real server: campaigns.
PROCESSES = [
    "tests/worker", "tests/examples/test_repository_report_runs.py", "tests/examples/test_start_run.py",
    "tests/live/test_real_server.py", "tests/agents/test_flow_test_command.py",
    "tests/agents/test_command_processes.py",
]  # fmt: skip
ENGINE = ["tests/engine", "tests/hitl", "tests/testing", "tests/agui", "tests/llm", "tests/llm_tools"]
# `make faults` and `make faults-short` run these.
FAULTS = ["tests/faults"]
# `make looks` runs these.
LOOKS = ["tests/looks"]
REST = ["tests", *(f"--ignore={path}" for path in [*PROCESSES, *ENGINE, *FAULTS, *LOOKS])]
# The engine's own tests take longer on PostgreSQL, and most of what runs once stands in the rest: so both end together.
ENGINE_ON_POSTGRESQL = [path for path in ENGINE if path not in ("tests/agui", "tests/llm_tools")]
REST_ON_POSTGRESQL = ["tests", *(f"--ignore={path}" for path in [*PROCESSES, *ENGINE_ON_POSTGRESQL, *FAULTS, *LOOKS])]
# Nothing in them depends on which database the suite runs on, or other tests show on both what they stand on: they run
# with SQLite's.
ONCE = [
    "tests/agents/test_any_document.py",
    "tests/agents/test_broken_flows.py", "tests/agents/test_hostile_documents.py",
    "tests/agents/test_command_agents.py", "tests/agents/test_what_programs_may_do.py",
    "tests/agents/test_claude_lines.py", "tests/agents/test_command_settings.py",
    "tests/agents/test_any_rules.py", "tests/agents/test_conditions.py", "tests/agents/test_flows_are_steered.py",
    "tests/agents/test_agents_answer_for_people.py",
    "tests/agents/test_flows_meet_people.py", "tests/agents/test_runs_of_flows.py", "tests/agents/test_step_names.py",
    "tests/agents/test_flows_are_loaded.py", "tests/agents/test_workspaces.py",
    "tests/agents/test_graphs.py", "tests/agents/test_judging.py", "tests/agents/test_loops.py",
    "tests/agents/test_instruction_variables.py", "tests/agents/test_instructions.py",
    "tests/agents/test_flow_run_command.py", "tests/agents/test_rehearsals.py",
    "tests/agents/test_quality_gates.py", "tests/agents/test_what_agents_may_do.py", "tests/agents/test_when.py",
    "tests/agui/adapter/test_answers.py", "tests/agui/adapter/test_any_events.py",
    "tests/agui/adapter/test_any_reader.py", "tests/agui/adapter/test_ends.py", "tests/agui/adapter/test_marks.py",
    "tests/agui/adapter/test_shared_state.py", "tests/agui/test_agui_settings.py", "tests/agui/test_bindings.py",
    "tests/agui/test_agui_foreign_origins.py", "tests/agui/test_agui_socket.py", "tests/agui/test_boundaries.py",
    "tests/agui/test_chat_agent_through_agui.py", "tests/agui/test_compat.py", "tests/agui/test_copilotkit.py",
    "tests/agui/test_copilotkit_streams.py", "tests/agui/test_crowded_inputs.py",
    "tests/agui/test_inputs.py", "tests/agui/test_merged_deltas.py", "tests/agui/test_ordering.py",
    "tests/benchmarks", "tests/checks/test_guarantees_page.py", "tests/agents/test_workflow_api.py",
    "tests/pages/test_artifacts.py", "tests/pages/test_diff_viewer.py", "tests/engine/test_emitted.py",
    "tests/pages/test_copy_as.py", "tests/pages/test_schema_forms.py",
    "tests/engine/test_schedule_times.py", "tests/examples/test_ai_agent.py", "tests/examples/test_chat_agent.py",
    "tests/examples/test_coding_agent.py",
    "tests/examples/test_code_review.py", "tests/examples/test_coding_assistant.py", "tests/examples/test_diffs.py",
    "tests/examples/test_repository_report_measures.py", "tests/examples/test_review_feedback.py",
    "tests/examples/test_ruff_reads_no_secrets.py", "tests/examples/test_sources.py",
    "tests/live/test_channel_layers.py", "tests/live/test_gone_clients.py", "tests/live/test_pace.py",
    "tests/llm_tools/test_local_checks.py", "tests/llm_tools/test_local_commands.py",
    "tests/llm_tools/test_local_files.py", "tests/llm_tools/test_local_hosts.py",
    "tests/llm_tools/test_signatures.py", "tests/pipelines/test_documents_are_checked.py",
    "tests/pipelines/test_hostile_answers.py", "tests/pipelines/test_templates.py", "tests/providers",
    "tests/retention/test_ages.py", "tests/test_platform_folder.py", "tests/v1/test_lines.py", "tests/vendors",
    "tests/wiring/test_environment.py", "tests/wiring/test_supervisor.py",
    "tests/pages/test_charts.py", "tests/pages/test_fingerprints.py",
    "tests/pages/test_flow_drawing.py", "tests/pages/test_contrast.py", "tests/pages/test_json_tree.py",
    "tests/pages/test_long_values.py", "tests/pages/test_style_sheet.py",
    "tests/pages/test_run_frame.py", "tests/pages/test_next_step.py", "tests/pages/test_run_actions.py",
    "tests/pages/test_timeline.py",
]  # fmt: skip
E2E = ["tests/e2e"]
_EACH_PROCESS = (
    "tests/e2e/test_survival_of_each_process.py::"
    "test_a_new_run_completes_within_10_seconds_of_a_kill_and_no_process_is_left_over"
)
_KILLED_FLOW = "tests/e2e/test_flows_survive.py::test_no_recorded_call_is_made_again_after_a_worker_is_killed"
# Of the campaigns' longest tests, those of whose kind a shorter one stands beside them.
LONG = [
    "tests/e2e/test_agui_crowds.py",
    "tests/e2e/test_agui_survives.py::test_it_reconnects_and_loses_nothing_after_the_whole_server_was_killed",
    "tests/e2e/test_agui_survives.py::test_a_server_that_is_stopped_cuts_its_streams_and_ends_none_as_if_it_were_over",
    *(
        f"{_EACH_PROCESS}[{process}]"
        for process in ("idle process", "pusher", "monitor", "Sentinel", "parent of the Sentinel")
    ),
    *(
        f"{_KILLED_FLOW}[{step}]"
        for step in (
            "plan",
            "implement",
            "second fix",
            "supervise",
            "second gather",
            "judge of labels",
            "write",
            "check",
        )
    ),
    "tests/e2e/test_model_calls.py::test_a_stopped_server_hands_its_call_over_and_closes_the_connection",
    "tests/e2e/test_review_waits.py",
    "tests/e2e/test_blocked_lines.py::test_every_action_works_and_is_seen_on_pages_that_ask",
    "tests/e2e/test_blocked_lines.py::test_a_question_and_a_schedule_catch_up_while_their_pages_ask",
    "tests/e2e/test_inbox_page.py::test_questions_come_and_go_on_every_open_page",
    "tests/e2e/test_run_list_page.py::test_with_the_live_line_blocked_the_list_asks_and_says_so",
    "tests/e2e/test_survival_of_many_kills.py::test_a_stop_and_a_start_in_the_middle_of_a_run_repeat_nothing",
    "tests/e2e/test_tool_approvals.py::test_edited_arguments_are_what_runs[chromium-1280]",
    "tests/worker/test_background_tasks.py::test_a_schedule_starts_its_task",
    "tests/worker/test_background_tasks.py::test_plain_qcluster_works_too",
    "tests/worker/test_drain.py::test_a_signal_hands_runs_back_and_the_next_start_goes_on[15]",
    "tests/worker/test_long_steps.py",
    "tests/worker/test_many_runs.py::test_sync_runs_wait_for_a_free_thread",
    "tests/worker/test_schedules.py::test_a_schedule_is_fired_once_though_drivers_are_killed_at_its_time",
    "tests/worker/test_memory.py::test_a_driver_that_grew_too_large_hands_its_runs_to_a_new_one",
    "tests/examples/test_repository_report_runs.py::"
    "test_the_report_on_perdures_own_source_names_its_files_with_the_lines_that_wc_counts",
]
_SHORT = [f"--deselect={test}" for test in LONG]
BROWSER = ["tests/e2e/test_pages.py", "tests/e2e/test_pages_flow.py", "tests/e2e/test_pages_reducer.py"]


@dataclass(frozen=True)
class Phase:
    """What is run on one database: each share is a pytest of its own."""

    label: str
    database: str
    shares: tuple[list[str], ...]


PHASES = {
    "sqlite": Phase("SQLite", "sqlite", (REST, ENGINE)),
    "postgresql": Phase(
        "PostgreSQL and Redis",
        "postgresql",
        tuple([*share, *(f"--ignore={path}" for path in ONCE)] for share in (REST_ON_POSTGRESQL, ENGINE_ON_POSTGRESQL)),
    ),
    "browser": Phase("pages in a browser, on SQLite", "sqlite", (BROWSER,)),
    "processes-sqlite": Phase("worker processes on SQLite", "sqlite", (PROCESSES,)),
    "processes-postgresql": Phase("worker processes on PostgreSQL and Redis", "postgresql", (PROCESSES,)),
    # `make test` has run the pages in a browser on SQLite.
    "e2e-sqlite": Phase("whole system on SQLite", "sqlite", ([*E2E, *(f"--ignore={path}" for path in BROWSER)],)),
    "processes-short": Phase(
        "worker processes on PostgreSQL and Redis, the longest left out", "postgresql", ([*PROCESSES, *_SHORT],)
    ),
    "e2e-short": Phase(
        "whole system on SQLite, the longest left out",
        "sqlite",
        ([*E2E, *(f"--ignore={path}" for path in BROWSER), *_SHORT],),
    ),
    "e2e-postgresql": Phase("whole system on PostgreSQL and Redis", "postgresql", (E2E,)),
}
