"""Records of activities on their way in: what verifiers report, and this server's own calls."""
