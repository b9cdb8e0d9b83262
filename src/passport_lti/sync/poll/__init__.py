"""From Coursera to the outbox: when a course is read, and what its rows change."""
