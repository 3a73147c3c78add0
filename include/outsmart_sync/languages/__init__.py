"""The languages that people are spoken to: what the page says, and what alerts say."""
