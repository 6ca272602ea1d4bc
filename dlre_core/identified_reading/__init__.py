"""Pictures that ingestion could not locate, shown as the hospital sent them, for squares and profiles by hand."""
