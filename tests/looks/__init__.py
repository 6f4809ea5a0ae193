"""Every page of the dashboard, empty, full and failing, in light and dark, wide and on a phone (`make looks`)."""
