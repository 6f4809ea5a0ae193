"""Jobs written as a DAG of steps in YAML or JSON."""
