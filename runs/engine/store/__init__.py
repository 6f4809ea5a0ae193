"""The only writer of run state. Transitions are data; each database has its own way to commit a batch of them."""
