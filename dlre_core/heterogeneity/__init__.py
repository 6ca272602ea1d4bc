"""Statistics of what differs: pictures of one patient, groups of patients, and hospitals."""
