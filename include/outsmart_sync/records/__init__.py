"""What OutSmart knows: one declaration per record type, and the vocabulary in which packages declare their imports."""
