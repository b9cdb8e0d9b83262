"""The outside world in small: a practice campus (LTI platform) and a practice Coursera.

Both are real servers over HTTP. The demo, the tests and curious people use the same ones.
Nothing here imports the product.
"""
