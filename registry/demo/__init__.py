"""The demonstration's policies, authorities and documents, as data of the package."""
