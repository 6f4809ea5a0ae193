"""Other engines and queues, each run in an environment of its own: this package imports nothing of ours."""
