"""What can be asked of the page, one module per part of it; each hands over to a service and shows what comes back."""
