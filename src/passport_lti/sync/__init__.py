"""How grades get there: poll Coursera, plan, keep the outbox, deliver."""
