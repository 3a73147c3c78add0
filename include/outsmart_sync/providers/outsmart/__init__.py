"""OutSmart's own API, OpenAPI version 8."""
