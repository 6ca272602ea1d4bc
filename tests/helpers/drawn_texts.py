"""Every text that the simulator draws, with the place it takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from PIL import ImageDraw

from dlre_core.elastography.screen_layout import Rectangle


@contextmanager
def drawn_texts() -> Iterator[list[tuple[str, Rectangle]]]:
    """Texts that Pillow draws within the context, in their order."""
    texts = []
    draw_text = ImageDraw.ImageDraw.text

    def text(self, xy, text, *args, **options):
        if text.strip():
            place = self.textbbox(xy, text, font=options["font"], anchor=options.get("anchor"))
            texts.append((text, Rectangle(*map(round, place))))
        draw_text(self, xy, text, *args, **options)

    with patch.object(ImageDraw.ImageDraw, "text", text):
        yield texts
