"""Talking to the platform: LTI 1.3 messages and services, with PyLTI1p3 behind it. No Flask."""
