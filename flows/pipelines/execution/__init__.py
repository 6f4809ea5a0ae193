"""A definition at work: the steps of a run of the job `pipeline`."""
