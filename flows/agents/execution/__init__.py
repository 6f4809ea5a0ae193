"""A flow at work: the iterations of one run of the job `agent-flow`."""
