"""The dialect of OData 2 that Exact Online speaks."""
