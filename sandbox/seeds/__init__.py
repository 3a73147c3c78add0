"""Made-up companies, customers and articles, the same for the same seed."""
