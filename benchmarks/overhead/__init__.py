"""What durability costs, in one run on the same Redis and PostgreSQL. See README.md beside this."""
