"""What the job `coding-assistant` is made of: a plan, a search of the code base, and a diff for each file found."""
