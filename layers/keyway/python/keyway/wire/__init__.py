"""The protocols providers speak, one folder each, independent of one another. Start at ``contract.py``."""
