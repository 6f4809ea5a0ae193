"""A flow's run on a database that is thrown away: what `manage.py flow test` does."""
