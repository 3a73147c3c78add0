"""The part of OData 4 that VISMA's lists understand."""
