"""Read untrusted DICOM and picture files, and say why one cannot be used."""
