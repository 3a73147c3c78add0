"""VISMA eAccounting: its login, its wire, its fields and its limits."""
