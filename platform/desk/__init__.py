"""The review desk: what waits for a person, who has taken it, what they need to decide."""
