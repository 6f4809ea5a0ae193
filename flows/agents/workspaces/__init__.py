"""Where the agents of a run work on files: a folder that the settings allow, or a working copy of a repository."""
