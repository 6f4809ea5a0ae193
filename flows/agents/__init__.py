"""Agent flows: jobs written as YAML, whose steps are done by agents and whose rules choose the next step.

Only what is registered at start-up stands here; see `flows.agents.job` for the job itself.
"""
