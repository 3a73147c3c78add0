"""The four steps of every category, blind to which package they serve: extract, filter, match_by_code, upsert."""
