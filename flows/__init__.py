"""What stands on runs, people in the loop and providers."""
