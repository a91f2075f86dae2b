"""Our text rules beside the text filters that PyPI has."""
