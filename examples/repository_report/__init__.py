"""What the job `repository-report` is made of: list a folder, analyse each file, write the report."""
