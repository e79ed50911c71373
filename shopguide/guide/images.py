"""The pictures of a shop's products: files of its own folder, nothing beyond it."""

from pathlib import Path

KINDS = {
    ".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp",
    ".gif": "image/gif",
}  # fmt: skip
"""Suffix → media type."""


def picture_file(root: Path, image: str | None) -> tuple[Path, str] | None:
    """A product's picture and its media type; None where it is no picture within the folder.

    Args:
        root: of the shop's files.
        image: as the product's record names it, relative to the folder.
    """
    if not image or "\\" in image or "://" in image:
        return None
    folder = root.resolve()
    path = (folder / image).resolve()
    kind = KINDS.get(path.suffix.lower())
    return (path, kind) if kind and path.is_relative_to(folder) and path.is_file() else None
