"""Who may ask: tenants, their API keys, and the people of the admin."""
