"""Lists and details, already limited to the viewer."""
