"""Live doors to jobs: the lines of a stream as NDJSON."""
