"""The vendors' side of the wire: Exact Online and OutSmart as servers on this machine.

`python -m sandbox` starts them; `sandbox.process.start` starts them for tests. They are written from the vendors'
documentation and import nothing of the product they serve.
"""
