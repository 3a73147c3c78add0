"""VISMA's sales documents: orders, invoice drafts and invoices, what they amount to, and what is attached to them."""
