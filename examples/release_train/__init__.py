"""What the job `release-train` is made of: its children, their substitute, the summary, and what is published."""
