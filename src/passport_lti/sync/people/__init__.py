"""Who is who: the roster, its members, and whose Coursera row is whose membership."""
