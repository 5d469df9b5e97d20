"""Runs that are carried to a machine which has a GPU and nothing else, made there, and brought home."""
