"""The views below /ag-ui/."""
