"""Read untrusted DICOM files, and say why one cannot be used."""
