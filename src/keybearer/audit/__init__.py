"""The activity log outside any server: exports are written, read and verified with the file and a key alone."""
