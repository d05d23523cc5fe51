"""How many built-in faces are drawn in a second: run by hand as `python bench/faces.py`."""

from time import perf_counter

from zspace.images.faces import draw_faces, sample_factors

SIZES = (64, 96)
N_IMAGES = 512
N_ROUNDS = 3


def images_per_second(size: int) -> float:
    """Get the best rate of a few rounds: what the drawing costs when nothing else is running."""
    factors = sample_factors(N_IMAGES, seed=0)
    seconds = []
    for _ in range(N_ROUNDS):
        start = perf_counter()
        draw_faces(factors, size)
        seconds.append(perf_counter() - start)
    return N_IMAGES / min(seconds)


def main() -> None:
    """Print one line a size."""
    for size in SIZES:
        print(f"{size} x {size}: {images_per_second(size):.0f} images/s on one core")


if __name__ == "__main__":
    main()
