"""What `manage.py flow` can do: a module for each subcommand."""
