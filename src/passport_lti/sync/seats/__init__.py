"""Places at Coursera that learners get by their first launch: who, what for, done and retried."""
