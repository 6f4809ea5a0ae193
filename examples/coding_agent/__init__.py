"""What the job `coding-agent` is made of: a project's folder, tools that change it, and a review of the change."""
