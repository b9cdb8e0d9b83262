"""`python -m passport_lti` is the same as the command `passport-lti`."""

from passport_lti.cli import main

main()
