"""Make a picture small: cut out a part of it, and keep 64 colours.

python shrink.py from.png to.png [LEFT TOP RIGHT BOTTOM]
"""

import sys

from PIL import Image

source, target, *box = sys.argv[1:]
picture = Image.open(source).convert("RGB")
if box:
    picture = picture.crop(tuple(map(int, box)))
if picture.width > 800:
    picture = picture.resize((800, picture.height * 800 // picture.width), Image.LANCZOS)
picture.quantize(64, kmeans=3, dither=Image.Dither.NONE).save(target, optimize=True)
