"""How long the miniature models take to load, paint and scrutinise. See README.md beside this."""
