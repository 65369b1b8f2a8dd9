"""Thin endpoints: read the request, call the product, shape the answer."""
