"""What can be done: one verb, one file, one public function of that name."""
