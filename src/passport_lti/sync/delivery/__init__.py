"""From the outbox to the gradebook: which cells are sent, and what became of them."""
