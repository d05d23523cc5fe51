"""What training minimises: each objective one function and one row of a table."""
