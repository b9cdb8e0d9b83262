"""Talking to Coursera: its enterprise API, its catalogue, and addresses into its pages."""
