"""The line items of the courses: found, made, adopted, retired."""
