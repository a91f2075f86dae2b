"""What was decided and by which rules: policies, decisions, review by people."""
