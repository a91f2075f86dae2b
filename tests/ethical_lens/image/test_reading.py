"""Files of every kind: the right picture, or an error of the right type, in little memory."""

import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ethical_lens.image.errors import PictureTooLarge, SeveralPictures, UnreadablePicture
from ethical_lens.image.reading import SUFFIXES, as_picture, read_picture
from ethical_lens.image.sniffing import MOST_PIXELS
from ethical_lens.image.views import LONGEST

RED, GREEN, WHITE = (255, 0, 0), (0, 128, 0), (255, 255, 255)


def halves() -> Image.Image:
    """32 x 16, the left half red, the right half green."""
    image = Image.new("RGB", (32, 16), RED)
    image.paste(GREEN, (16, 0, 32, 16))
    return image


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG of 1 bit per pixel with any size in its header."""

    def chunk(name: bytes, content: bytes) -> bytes:
        whole = name + content
        return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def near(pixel: Any, wanted: tuple[int, int, int]) -> bool:
    return all(abs(a - b) <= 12 for a, b in zip(pixel, wanted, strict=True))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_format(kind: str, tmp_path: Path) -> None:
    data = saved(halves(), kind)
    file = tmp_path / "picture"
    file.write_bytes(data)

    for image in (read_picture(data), read_picture(file)):
        assert (image.mode, image.size) == ("RGB", (32, 16))
        assert near(image.getpixel((4, 8)), RED)
        assert near(image.getpixel((28, 8)), GREEN)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("CMYK", "JPEG"), ("CMYK", "TIFF"), ("P", "PNG"), ("YCbCr", "JPEG"), ("LAB", "TIFF")],
)
def test_other_colours_become_rgb(mode: str, kind: str) -> None:
    image = halves()
    if mode == "LAB":
        from PIL import ImageCms

        rgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        converted = ImageCms.profileToProfile(image, rgb, lab, outputMode="LAB")
        assert converted is not None
    else:
        converted = image.quantize(2) if mode == "P" else image.convert(mode)

    read = read_picture(saved(converted, kind))

    assert read.mode == "RGB"
    assert near(read.getpixel((4, 8)), RED)
    assert near(read.getpixel((28, 8)), GREEN)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_keep_their_range(kind: str) -> None:
    grey = np.array([[0, 128 * 256, 65535]] * 3, dtype=np.uint16)

    read = read_picture(saved(Image.fromarray(grey), kind))

    assert [read.getpixel((x, 1)) for x in range(3)] == [(0,) * 3, (128,) * 3, (255,) * 3]


def test_sixteen_bits_of_three_colours() -> None:
    row = b"\0" + struct.pack(">3H", 65535, 128 * 256, 0) * 2
    whole = b"\x89PNG\r\n\x1a\n"
    for name, content in (
        (b"IHDR", struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(row * 2)),
        (b"IEND", b""),
    ):
        part = name + content
        whole += struct.pack(">I", len(content)) + part + struct.pack(">I", zlib.crc32(part))

    assert read_picture(whole).getpixel((1, 1)) == (255, 128, 0)


def test_one_bit() -> None:
    read = read_picture(png(8, 2, zlib.compress(b"\0\xf0" * 2)))
    assert [read.getpixel((x, 0)) for x in (0, 7)] == [WHITE, (0, 0, 0)]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_transparency_is_laid_on_white(kind: str) -> None:
    image = halves().convert("RGBA")
    image.paste((0, 0, 255, 0), (0, 0, 16, 16))  # blue, and not to be seen

    read = read_picture(saved(image, kind, **({"exact": True} if kind == "WEBP" else {})))

    assert near(read.getpixel((4, 8)), WHITE)
    assert near(read.getpixel((28, 8)), GREEN)


def test_a_palette_with_a_transparent_colour_too() -> None:
    image = halves().quantize(2)
    left = image.getpixel((4, 8))
    read = read_picture(saved(image, "GIF", transparency=left))
    assert near(read.getpixel((4, 8)), WHITE)
    assert near(read.getpixel((28, 8)), GREEN)


@pytest.mark.parametrize(("turn", "size"), [(1, (32, 16)), (3, (32, 16)), (6, (16, 32))])
def test_exif_turns_the_picture(turn: int, size: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn

    read = read_picture(saved(halves(), "JPEG", exif=exif, quality=95))

    assert read.size == size
    assert near(read.getpixel((2, 2)), GREEN if turn == 3 else RED)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_several_pictures_in_one_file_are_refused(kind: str) -> None:
    other = Image.new("RGB", (32, 16), GREEN)
    data = saved(halves(), kind, save_all=True, append_images=[other])
    with pytest.raises(SeveralPictures, match="each as a file of its own"):
        read_picture(data)


def test_a_photograph_with_a_preview_is_its_first_picture() -> None:
    preview = Image.new("RGB", (16, 16), WHITE)
    read = read_picture(saved(halves(), "MPO", save_all=True, append_images=[preview]))
    assert read.size == (32, 16)
    assert near(read.getpixel((4, 8)), RED)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_files_are_unreadable(kind: str, share: float) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = saved(Image.fromarray(noise), kind)
    with pytest.raises(UnreadablePicture):
        read_picture(data[: int(len(data) * share)])


@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"%PDF-1.7", b"<svg/>", png(0, 0), png(0, 9)])
def test_no_picture(data: bytes) -> None:
    with pytest.raises(UnreadablePicture, match="is no PNG, JPEG"):
        read_picture(data)


def test_kinds_that_run_programs_are_not_opened() -> None:
    with pytest.raises(UnreadablePicture, match="is no PNG, JPEG"):
        read_picture(saved(halves(), "EPS"))


@pytest.mark.filterwarnings("ignore::UserWarning")  # PIL's, for what it skips
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_damage_anywhere_is_an_error_of_ours_or_a_picture(kind: str) -> None:
    rng = np.random.default_rng(2)
    whole = np.frombuffer(saved(halves(), kind), dtype=np.uint8)
    for _ in range(150):
        damaged = whole.copy()
        places = rng.integers(0, len(whole), 4)
        damaged[places] = rng.integers(0, 256, 4)
        try:
            assert read_picture(damaged.tobytes()).mode == "RGB"
        except UnreadablePicture:
            continue


@pytest.mark.parametrize("mode", ["I", "F"])
def test_numbers_without_a_range_are_refused(mode: str) -> None:
    with pytest.raises(UnreadablePicture, match="save it with 8 or 16"):
        read_picture(saved(Image.new(mode, (8, 8)), "TIFF"))


@pytest.mark.parametrize(
    "size", [(20_000, 20_000), (10_000, 10_000), (MOST_PIXELS // 5_000 + 1, 5_000), (2**31 - 1, 1)]
)
def test_too_many_pixels(size: tuple[int, int]) -> None:
    with pytest.raises(PictureTooLarge, match="scale it down"):
        read_picture(png(*size))


@pytest.mark.parametrize("turned", [False, True])
def test_too_long(turned: bool) -> None:
    def strip(length: int) -> bytes:
        return saved(Image.new("RGB", (4, length) if turned else (length, 4)), "PNG")

    assert max(read_picture(strip(4 * LONGEST)).size) == 4 * LONGEST
    with pytest.raises(PictureTooLarge, match="32 times the other"):
        read_picture(strip(4 * LONGEST + 1))


def test_a_huge_picture_takes_no_memory(tmp_path: Path) -> None:
    """A whole file of 20,000 x 20,000 pixels, 50 kB that would be 400 MB and more."""
    packer = zlib.compressobj(9)
    rows = b"\0" * 2501 * 1000
    file = tmp_path / "huge.png"
    data = b"".join(packer.compress(rows) for _ in range(20)) + packer.flush()
    file.write_bytes(png(20_000, 20_000, data))
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from ethical_lens.image.errors import PictureTooLarge\n"
        "from ethical_lens.image.reading import read_picture\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: read_picture(Path(sys.argv[1]))\n"
        "except PictureTooLarge: pass\n"
        "else: sys.exit('it was read')\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 20_000  # kB


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(UnreadablePicture, match=r"cannot be read: (No such|Is a dir)"):
            read_picture(path)


def test_suffixes_are_those_of_the_formats() -> None:
    known = {suffix for suffix, kind in Image.registered_extensions().items()}
    assert known >= SUFFIXES


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: b"", "unreadable"),
        (lambda: png(20_000, 20_000), "too_large"),
        (
            lambda: saved(halves(), "GIF", save_all=True, append_images=[Image.new("P", (32, 16))]),
            "several_pictures",
        ),
    ],
)
def test_codes_are_stable(make: Callable[[], bytes], code: str) -> None:
    with pytest.raises(UnreadablePicture) as raised:
        read_picture(make())
    assert raised.value.code == code


def test_an_image_in_memory_that_is_in_order_is_not_copied() -> None:
    image = halves()
    assert as_picture(image) is image


@pytest.mark.parametrize("mode", ["CMYK", "P", "L", "1", "LA", "RGBA", "YCbCr", "HSV"])
def test_an_image_of_any_mode_becomes_rgb(mode: str) -> None:
    read = as_picture(halves().convert(mode))
    assert (read.mode, read.size) == ("RGB", (32, 16))
    if mode not in {"L", "LA", "1"}:
        assert near(read.getpixel((4, 8)), RED)


def test_an_image_in_memory_is_judged_as_it_is_shown() -> None:
    """Hidden colours, a turn, and the range of 16 bits: what `convert("RGB")` gets wrong."""
    image = halves().convert("RGBA")
    image.paste((0, 0, 255, 0), (0, 0, 16, 16))
    assert near(as_picture(image).getpixel((4, 8)), WHITE)

    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(BytesIO(saved(halves(), "JPEG", exif=exif, quality=95))) as turned:
        assert as_picture(turned).size == (16, 32)

    grey = Image.fromarray(np.full((3, 3), 128 * 256, dtype=np.uint16))
    assert as_picture(grey).getpixel((1, 1)) == (128, 128, 128)


@pytest.mark.parametrize(
    ("image", "error"),
    [
        (Image.new("RGB", (0, 0)), UnreadablePicture),
        (Image.new("RGB", (0, 9)), UnreadablePicture),
        (Image.new("RGB", (4, 4 * LONGEST + 1)), PictureTooLarge),
        (Image.new("1", (20_000, 20_000)), PictureTooLarge),
        (Image.new("I", (8, 8)), UnreadablePicture),
        (Image.new("F", (8, 8)), UnreadablePicture),
    ],
    ids=["0x0", "0x9", "long", "20000x20000", "I", "F"],
)
def test_an_image_in_memory_that_cannot_be_judged(
    image: Image.Image, error: type[Exception]
) -> None:
    with pytest.raises(error):
        as_picture(image)


def test_a_file_that_was_opened_and_not_read_yet() -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    whole = saved(noise, "PNG")
    with Image.open(BytesIO(whole)) as image:
        assert as_picture(image).tobytes() == noise.tobytes()
    with Image.open(BytesIO(whole[:5000])) as image, pytest.raises(UnreadablePicture):
        as_picture(image)
    moving = saved(noise, "GIF", save_all=True, append_images=[noise.rotate(90)])
    with Image.open(BytesIO(moving)) as image, pytest.raises(SeveralPictures):
        as_picture(image)
