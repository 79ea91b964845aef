"""What users do, one story a file; chain and mirror come in as arguments."""
