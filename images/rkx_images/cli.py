"""The builder's command line."""

import argparse
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rkx_images import catalogue, modules, node, pins
from rkx_images.build import Builder
from rkx_images.cache import Cache, default_folder
from rkx_images.catalogue import Catalogue, Image
from rkx_images.digest import image_digest
from rkx_images.errors import BuildError

CHECKOUT = Path(__file__).resolve().parents[2]
_NODE = "node"  # a program that the wheel carries, not an image


def main(argv: Sequence[str]) -> int:
    """Carry out one command and give the exit code: 0 done, 1 not built, 2 usage, 130 interrupted."""
    arguments = _parser().parse_args(argv)
    try:
        _COMMANDS[arguments.command](arguments, catalogue.load(CHECKOUT / "images"))
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: nothing half built was kept; the same command goes on", file=sys.stderr)
        return 130
    return 0


def _build(arguments: argparse.Namespace, known: Catalogue) -> None:
    names = arguments.names or [_NODE, *known.images]
    images = [known.find(name) for name in names if name != _NODE]
    cache = Cache(default_folder())
    if _NODE in names:
        node.ensure(CHECKOUT, known.go, cache)
    _build_all(Builder(known, cache), images)


def _build_all(builder: Builder, images: Sequence[Image]) -> None:
    # Two at once: while one is linked by a single thread, or installed by dpkg, the other compiles.
    with ThreadPoolExecutor(max_workers=2) as pool:
        running = [(image, pool.submit(builder.ensure, image)) for image in images]
        try:
            for image, archive in running:
                print(f"{image.name:<15} {image.reference} {archive.result()}", flush=True)
        finally:
            pool.shutdown(cancel_futures=True)


def _list(arguments: argparse.Namespace, known: Catalogue) -> None:
    builder = Builder(known, Cache(default_folder()))
    rows = [(image, builder.archive(image)) for image in known.images.values()]
    if arguments.json:
        table = {i.name: {"reference": i.reference, "archive": str(a), "built": a.exists()} for i, a in rows}
        print(json.dumps(table, indent=2))
        return
    for image, path in rows:
        size = f"{path.stat().st_size / 1e6:.0f} MB" if path.exists() else "not built"
        print(f"{image.name:<15} {image.reference:<30} {size:>10}  {path}")


def _pins(arguments: argparse.Namespace, known: Catalogue) -> None:
    builder = Builder(known, Cache(default_folder()))
    paths = {name: builder.archive(known.find(name)) for name in arguments.names or pins.KEYS}
    if missing := [name for name, path in paths.items() if not path.exists()]:
        raise BuildError(f"not built: {', '.join(missing)}", f"rkx_images build {' '.join(missing)}")
    print("\n".join(pins.lines(arguments.registry, [(known.find(name), path) for name, path in paths.items()])))


def _digest(arguments: argparse.Namespace, known: Catalogue) -> None:
    for name in arguments.names:
        print(node.node_digest(CHECKOUT, known.go) if name == _NODE else image_digest(known, known.find(name)))


def _modules(arguments: argparse.Namespace, known: Catalogue) -> None:
    for name in arguments.names:
        modules.complete(known.find(name))


_COMMANDS = {"build": _build, "list": _list, "pins": _pins, "digest": _digest, "modules": _modules}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rkx_images", description="Build rkx's images into $RKX_CACHE.")
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build images that are not in the cache, by default all, and rkx-node")
    build.add_argument("names", nargs="*", metavar="NAME", help="an image, kubernetes@v1.33.13, or node")
    listing = commands.add_parser("list", help="show all images and their archives")
    listing.add_argument("--json", action="store_true", help="for programs")
    pinning = commands.add_parser("pins", help="print system_images with the digest of each image, for cluster.yml")
    pinning.add_argument("registry", metavar="REGISTRY", help="such as registry.example.com:5000")
    pinning.add_argument("names", nargs="*", metavar="NAME", help="by default all")
    commands.add_parser("digest", help="print the digest of inputs").add_argument("names", nargs="+", metavar="NAME")
    completing = commands.add_parser("modules", help="complete go.mod and go.sum after a change of versions")
    completing.add_argument("names", nargs="+", metavar="NAME")
    return parser
