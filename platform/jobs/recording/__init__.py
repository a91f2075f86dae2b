"""What each stage writes when it finishes: one file per stage, results and decisions together."""
