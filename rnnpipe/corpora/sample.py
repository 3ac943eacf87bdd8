"""A sample data set: requests to an imaginary assistant, written for this project.

It is made up from the sentence patterns and names below, so it shows that training works and how
it looks, and nothing more: scores on it say little about real text. What is *unseen* in it is held
back on purpose. Every sentence of the parts "dev" and "test" has a pattern or a name that no
training sentence has; about half of their names and a quarter of their patterns are new.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, DocBin

#: How many sentences each part has.
SIZES = {"train": 1500, "dev": 300, "test": 300}


@dataclass(frozen=True)
class Stock:
    """What sentences are made of: ``known`` for all parts, ``unseen`` for dev and test only."""

    known: tuple[str, ...]
    unseen: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """A sentence, its entities as (start, end, label) in characters, and its category."""

    text: str
    entities: tuple[tuple[int, int, str], ...]
    category: str


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))


def _pairs(first: str, second: str) -> tuple[str, ...]:
    return tuple(f"{a} {b}" for a in first.split() for b in second.split())


PATTERNS = {
    "weather": Stock(
        known=_lines("""
            what will the weather be like in {CITY} {DATE}
            is it going to rain in {CITY} {DATE} ?
            do I need an umbrella in {CITY} ?
            how cold does it get in {CITY} at night
            will there be snow {DATE} ?
            forecast for {CITY} , {DATE}
            is {DATE} a good day for a walk around {CITY} ?
            how windy is it in {CITY} right now ?
            tell me whether the sun is out in {CITY}
        """),
        unseen=_lines("""
            should I take a coat to {CITY} {DATE} ?
            any thunderstorms near {CITY} {DATE}
            {DATE} in {CITY} : sunny or cloudy ?
        """),
    ),
    "travel": Stock(
        known=_lines("""
            book a train from {CITY} to {CITY} for {DATE}
            find me a cheap flight to {CITY} {DATE}
            I want to leave {CITY} {DATE} and arrive in {CITY} before noon
            two tickets to {CITY} please
            how long is the bus ride from {CITY} to {CITY} ?
            is there a night train to {CITY} {DATE} ?
            reserve a room in {CITY} , arriving {DATE}
            cancel my trip to {CITY}
            we fly back from {CITY} {DATE}
        """),
        unseen=_lines("""
            get us to {CITY} by ferry {DATE}
            which airline goes from {CITY} to {CITY} ?
            change my {CITY} booking to {DATE}
        """),
    ),
    "kitchen": Stock(
        known=_lines("""
            how do I cook {DISH} ?
            find a recipe for {DISH} without nuts
            set a timer for the {DISH} , {TIME}
            how long does {DISH} stay in the oven ?
            remind me to stir the {DISH} after {TIME}
            can I make {DISH} in {TIME} ?
            add what I need for {DISH} to the shopping list
            what goes well with {DISH} ?
            let it simmer for {TIME}
        """),
        unseen=_lines("""
            is {TIME} enough for {DISH} ?
            suggest a starter before the {DISH}
            read me the next step of the {DISH} recipe
        """),
    ),
    "music": Stock(
        known=_lines("""
            play {SONG} by {ARTIST}
            play something by {ARTIST}
            put {SONG} on my evening playlist
            who sings {SONG} ?
            when does {ARTIST} come to {CITY} ?
            turn up {SONG} a little
            I would like to hear the new album of {ARTIST}
            skip this one and play {SONG}
            is {ARTIST} on tour {DATE} ?
        """),
        unseen=_lines("""
            repeat {SONG} until I say stop
            more songs like {SONG} from {ARTIST}
            has {ARTIST} written {SONG} ?
        """),
    ),
}

# Some names stand under two labels (Florence, Vienna, Sydney, honey), so that only the rest of the
# sentence tells what they are.
NAMES = {
    "CITY": Stock(
        known=_names("""
            Vienna, Lisbon, Oslo, Nairobi, Porto, Kyoto, Bogota, Ghent, Florence, Cape Town,
            New Orleans, Tallinn, Hanoi, Lyon, Sydney, San Diego, Cork, Leipzig, Quito, Montreal,
            Krakow, Accra, Buenos Aires, Split, Turin, Utrecht, Dakar, Bergen, Adelaide, Charlotte
        """),
        unseen=_names("""
            Zagreb, Windhoek, Salt Lake City, Gdansk, Verona, Ottawa, Luang Prabang, Aarhus,
            Kigali, Odense, Puerto Montt, Malaga, Bristol, Lucerne, Christchurch
        """),
    ),
    "DATE": Stock(
        known=(
            *_names("tomorrow, today, tonight, this weekend, next week, at Easter, in two days"),
            *_pairs("this next on", "Monday Tuesday Thursday Friday Sunday"),
            *_pairs("March April June October", "1 4 9 12 17 23 28"),
        ),
        unseen=(
            *_names("the day after tomorrow, in three weeks, at Christmas, late this evening"),
            *_pairs("this next on", "Wednesday Saturday"),
            *_pairs("July September", "2 8 19 30"),
        ),
    ),
    "DISH": Stock(
        known=(
            *_pairs("lentil tomato mushroom pumpkin", "soup curry stew risotto"),
            *_names("apple pie, fried rice, onion tart, honey cake, waffles, fish pie, cornbread"),
        ),
        unseen=(
            *_pairs("leek carrot spinach", "dumplings gratin pancakes"),
            *_names("paella, plum crumble, baked aubergines, beans on toast"),
        ),
    ),
    "TIME": Stock(
        known=(
            *_pairs("five ten 20 thirty 45", "minutes"),
            *_names("an hour, half an hour, two hours, 90 seconds"),
        ),
        unseen=(
            *_pairs("seven 15 fifty", "minutes"),
            *_names("a quarter of an hour, 70 seconds, an hour and a half"),
        ),
    ),
    "ARTIST": Stock(
        known=(
            *_pairs("Mira Jonas Florence Otis Ada", "Keller Okoye Lindqvist Moreau Hale"),
            *_pairs("Crimson Velvet Midnight", "Otters Engines Gardeners"),
        ),
        unseen=(
            *_pairs("Tomasz Ingrid Sydney Celeste", "Varga Amadi Brook Nakamura"),
            *_pairs("Wooden Electric", "Foxes Lighthouses Barbers"),
        ),
    ),
    "SONG": Stock(
        known=(
            *_pairs("Paper Silver Broken Winter", "Lanterns Rain River Letters"),
            *_names("Vienna, Honey, Two Hours from Home, Dance until Sunday, Slow Train, Over It"),
        ),
        unseen=(
            *_pairs("Golden Hollow Distant", "Harbour Mirrors Thunder"),
            *_names("Bristol, Never Mind the Snow, Ten Minutes Late, Wait for Me, Umbrella"),
        ),
    ),
}

OPENINGS = ("", "", "", "", "please ", "hey , ", "could you help me : ", "ok , ")


def sample_requests(seed: int = 0) -> dict[str, list[Request]]:
    """The sentences of each part, in random order, none of them twice; same seed, same sentences."""
    draw = random.Random(seed)
    seen: set[str] = set()
    return {
        part: [_new_request(draw, unseen=part != "train", seen=seen) for _ in range(size)]
        for part, size in SIZES.items()
    }


def write_sample(folder: Path, nlp: Language, seed: int = 0) -> dict[str, Path]:
    """Write ``train.spacy``, ``dev.spacy`` and ``test.spacy`` into ``folder``; their paths by part."""
    paths = {part: folder / f"{part}.spacy" for part in SIZES}
    for part, requests in sample_requests(seed).items():
        DocBin(docs=sample_docs(nlp, requests)).to_disk(paths[part])
    return paths


def sample_docs(nlp: Language, requests: Sequence[Request]) -> Iterator[Doc]:
    """The requests as gold documents: tokens, ``doc.ents`` and ``doc.cats``."""
    for request in requests:
        doc = nlp.make_doc(request.text)
        spans = (doc.char_span(*entity) for entity in request.entities)
        doc.ents = [span for span in spans if span is not None]
        doc.cats = {category: float(category == request.category) for category in PATTERNS}
        yield doc


def _new_request(draw: random.Random, unseen: bool, seen: set[str]) -> Request:
    """One that is not in ``seen``, and that has something unseen in it if ``unseen``."""
    while True:
        category = draw.choice(list(PATTERNS))
        new_pattern = unseen and draw.random() < 0.25
        stock = PATTERNS[category]
        pattern = draw.choice(stock.unseen if new_pattern else stock.known)
        request, new_names = _fill(draw, pattern, category, 0.5 if unseen else 0.0)
        if request.text not in seen and (new_pattern or new_names or not unseen):
            seen.add(request.text)
            return request


def _fill(draw: random.Random, pattern: str, category: str, share: float) -> tuple[Request, int]:
    """Put names into a pattern, a ``share`` of them unseen ones; the request, and how many are."""
    text, entities, new = draw.choice(OPENINGS), [], 0
    for piece in re.split(r"(\{\w+\})", pattern):
        if not piece.startswith("{"):
            text += piece
            continue
        label = piece.strip("{}")
        is_new = draw.random() < share
        name = draw.choice(NAMES[label].unseen if is_new else NAMES[label].known)
        entities.append((len(text), len(text) + len(name), label))
        text, new = text + name, new + is_new
    # People write to a machine without capitals as often as with them.
    text = text.lower() if draw.random() < 0.5 else text
    return Request(text, tuple(entities), category), new
