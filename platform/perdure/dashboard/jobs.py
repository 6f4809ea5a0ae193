"""The dashboard's own job; importing it registers it."""

from perdure.dashboard.bulk.job import bulk_change

__all__ = ["bulk_change"]
