"""Flags of stored pictures: what is doubted of one, without a reason to leave it out."""

# Somebody else's file shows it as well.
OTHERS_TOO = "also_sent_for_another_patient"
# The file has no date.
UNDATED = "no_time"
# No stiffness is read from it, since nothing says what its colours stand for.
SCALE_UNKNOWN = "scale_unknown"
# Only a square drawn by hand is used of it.
SQUARE_BY_HAND = "square_by_hand_only"
# Too little colour in that square to judge it.
QUALITY_UNKNOWN = "quality_unknown"
