"""VISMA eAccounting as its API's users see it.

Written from the vendor's pages and from what its users report; it imports nothing of the product.
"""
