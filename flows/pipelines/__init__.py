"""Jobs written as a DAG of steps in YAML or JSON.

What apps use: `flows.pipelines.registry` (functions for custom steps), `flows.pipelines.starting` (start, rerun).
"""
