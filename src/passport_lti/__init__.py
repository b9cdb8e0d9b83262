"""Passport LTI: use Coursera from Moodle as if it were one place."""
