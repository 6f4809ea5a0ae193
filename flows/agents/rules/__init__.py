"""Which rule of a step matches, and whether a flow runs in circles. Pure: what is asked of a judge is handed in."""
