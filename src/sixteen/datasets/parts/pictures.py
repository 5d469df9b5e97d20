"""Pictures in files: what Pillow makes of a JPEG or PNG, or a sentence on why it may not."""

from io import BytesIO

from PIL import Image

from sixteen.errors import UserError

# Other modes (16 bits) and transparency would lose something on the way to 8-bit RGB or grey.
PLAIN_MODES = ("1", "L", "P", "RGB")
PNG, PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
PNG_DEPTH = 24  # of the byte that says how many bits a channel has
Image.MAX_IMAGE_PIXELS = None  # sizes are compared before anything is decoded


def picture(
    coded: bytes,
    culprit: str,
    size: tuple[int, int] | None = None,
    modes: tuple[str, ...] = PLAIN_MODES,
    most: int | None = None,
) -> Image.Image:
    """Decode one picture in one of Pillow's `modes`; `size` is its (width, height), `most` how many pixels it may have.

    UserError that begins with what was expected and names the `culprit`.
    """
    is_png = coded.startswith(PNG)
    try:
        image = Image.open(BytesIO(coded), formats=("JPEG", "PNG"))
        fits = image.size == size if size else most is None or image.width * image.height <= most
        if fits:
            image.load()
        if is_png and PNG_END not in coded:
            raise ValueError("a PNG without its end")
        frames = getattr(image, "n_frames", 1)
    except Exception as error:  # damaged bytes make decoders raise nearly anything
        raise UserError(
            f"expected a JPEG or PNG image, came {culprit}, which is something else or damaged; "
            "replace it or take it out"
        ) from error
    if not fits:
        _refuse_size(image, culprit, size, most)
    if image.mode not in modes or image.has_transparency_data:
        raise UserError(
            f"expected 8-bit RGB, palette or grey without transparency, came {culprit} in Pillow's "
            f"mode {image.mode}; convert it"
        )
    if is_png and coded[PNG_DEPTH] > 8:  # Pillow gives RGB of 16 bits cut down to 8
        raise UserError(
            f"expected at most 8 bits a channel, came {culprit} with {coded[PNG_DEPTH]}; convert it"
        )
    if frames > 1:
        raise UserError(
            f"expected one picture a file, came {culprit} with {frames}; keep one of them"
        )
    return image


def _refuse_size(
    image: Image.Image, culprit: str, size: tuple[int, int] | None, most: int | None
) -> None:
    if size is None:
        raise UserError(
            f"expected pictures of at most {most:,} pixels, came {culprit} with {image.height:,} x {image.width:,}; make it "
            "smaller or take it out"
        )
    raise UserError(
        f"expected images of {size[1]} x {size[0]} pixels (height x width), came {culprit} "
        f"with {image.height} x {image.width}; resize it or mend height and width"
    )
