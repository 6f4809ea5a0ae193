"""What the job `code-review` is made of: read a diff, analyse what it changes, report, ask, then apply or revise."""
