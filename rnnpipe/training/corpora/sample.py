"""A sample data set: requests to an imaginary assistant, written for this project.

It is made up from the sentence patterns and names below, so it shows that training works and how
it looks, and nothing more: scores on it say little about real text. What is *unseen* in it is held
back on purpose. Every sentence of the parts "dev" and "test" has a pattern or a name that no
training sentence has; about a third of their names and a quarter of their patterns are new.
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
SIZES = {"train": 3000, "dev": 300, "test": 300}


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


# (a|b) is a choice of words, {CITY} a name.
PATTERNS = {
    "weather": Stock(
        known=_lines("""
            what (will|is) the weather (be like|like|going to be) in {CITY} {DATE}
            (is it going to|will it) (rain|snow|freeze|clear up) in {CITY} {DATE} ?
            do (I|we) need (an umbrella|a warm coat|boots|sunscreen) in {CITY} ?
            how (cold|warm|hot) does it get in {CITY} (at night|in the morning|by noon)
            will there be (snow|fog|a storm|thunder|sunshine) {DATE} ?
            (weather|rain|snow) (forecast|report) for {CITY} , {DATE}
            is {DATE} a good day for a (walk|picnic|hike) around {CITY} ?
            how (windy|wet|humid|cloudy) is it in {CITY} (right now|today|at the moment) ?
            tell me (whether|if) the sun is out in {CITY}
            (temperature|wind|clouds) in {CITY} {DATE} ?
            does it (often|ever|usually) (rain|snow) in {CITY} ?
            (when|at what time) will the (rain|storm|fog) reach {CITY} ?
            the sky over {CITY} looks (grey|dark|blue) , will it stay (so|dry) {DATE} ?
            how many degrees (are there|is it) in {CITY} now
        """),
        unseen=_lines("""
            should I take a coat to {CITY} {DATE} ?
            any (storm|snow) near {CITY} {DATE}
            {DATE} in {CITY} : warm or cold ?
            will the sun shine over {CITY} {DATE}
        """),
    ),
    "travel": Stock(
        known=_lines("""
            (book|find|get) (me|us) a (train|flight|bus) from {CITY} to {CITY} for {DATE}
            find (me|us) a (cheap|direct|late|quick) flight to {CITY} {DATE}
            I want to leave {CITY} {DATE} and (arrive in|reach) {CITY} before (noon|dark)
            (two|three|four) tickets to {CITY} please
            how (long|expensive|far) is the (bus|train) ride from {CITY} to {CITY} ?
            is there a (night|morning|fast) train to {CITY} {DATE} ?
            (reserve|book) a (quiet|double|cheap) room in {CITY} , arriving {DATE}
            cancel my (trip|flight|hotel|seat) to {CITY}
            we (fly|travel|come) back from {CITY} {DATE}
            what does a (ticket|seat|taxi) to {CITY} cost ?
            (which|what) (platform|gate|terminal) for {CITY} ?
            how do I get from the airport to {CITY} ?
            rent (me|us) a (car|bike|van) in {CITY} from {DATE}
            add a (stop|night|day) in {CITY} to my (route|plan)
        """),
        unseen=_lines("""
            get us to {CITY} by (car|bus) {DATE}
            which train goes from {CITY} to {CITY} ?
            find my {CITY} flight {DATE}
            I need a hotel in {CITY}
        """),
    ),
    "kitchen": Stock(
        known=_lines("""
            how do (I|you) (cook|make|prepare) {DISH} ?
            find (me|us) a (quick|simple|good) recipe for {DISH} without (nuts|milk|meat)
            set a timer for the {DISH} , {TIME}
            how long does (the|my) {DISH} stay in the (oven|pan|fridge) ?
            remind me to (stir|check|turn|salt) the {DISH} after {TIME}
            can (I|we) make {DISH} in {TIME} ?
            add (what|everything) I need for {DISH} to the (shopping|grocery) list
            what (goes|tastes) (well|good) with {DISH} ?
            let it (simmer|rest|cool|bake) for {TIME}
            how much (flour|butter|salt|water) do I need for {DISH} ?
            (stop|pause|restart) the (kitchen|oven) timer , it needs {TIME} more
            is {DISH} (hard|easy|quick) to make ?
            which (spices|herbs|wine) for {DISH} ?
            (guests|friends) are coming , how about {DISH} ?
        """),
        unseen=_lines("""
            I need {DISH} in {TIME} , which recipe is good ?
            (find|add) a (salad|wine) to go with the {DISH}
            tell me the next step of the {DISH} recipe
            check the oven after {TIME}
        """),
    ),
    "music": Stock(
        known=_lines("""
            play {SONG} by {ARTIST}
            play (something|anything|a song|the best songs) by {ARTIST}
            (put|add) {SONG} (on|to) my (evening|running|party|quiet) playlist
            (who|which band) (sings|wrote|recorded) {SONG} ?
            when (does|will) {ARTIST} (come to|play in|visit) {CITY} ?
            turn (up|down) {SONG} a (little|bit)
            I (want|would like) to (hear|listen to) the (new|first|last) album of {ARTIST}
            (skip|stop) this (one|song|track) and play {SONG}
            is {ARTIST} on tour {DATE} ?
            (shuffle|save|download) (all|some) songs of {ARTIST}
            what is the (name|title) of the (hit|single) by {ARTIST} ?
            I (love|hate|like) {SONG}
            (how old|how famous) is {ARTIST} ?
            wake me with {SONG} (softly|loudly) , please
        """),
        unseen=_lines("""
            play {SONG} until I say stop
            more songs like {SONG} from {ARTIST}
            did {ARTIST} write {SONG} ?
            add the new single of {ARTIST}
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
            Krakow, Accra, Buenos Aires, Split, Turin, Utrecht, Dakar, Bergen, Adelaide, Charlotte,
            Paris, Rome, Madrid, Berlin, Dublin, Prague, Helsinki, Athens, Budapest, Warsaw, Riga,
            Sofia, Belgrade, Naples, Palermo, Seville, Bilbao, Toulouse, Nantes, Basel, Geneva,
            Hamburg, Dresden, Graz, Linz, Antwerp, Rotterdam, Gothenburg, Tampere, Reykjavik,
            Edinburgh, Cardiff, Leeds, York, Boston, Chicago, Denver, Santa Fe, Las Cruces, Austin,
            Portland, Toronto, Halifax, Calgary, Havana, Lima, Cusco, La Paz, Rio Branco, Recife,
            Cairo, Tunis, Rabat, Lagos, Kampala, Maputo, Port Louis, Istanbul, Tbilisi, Baku,
            Mumbai, Chennai, Colombo, Kathmandu, Osaka, Sapporo, Seoul, Busan, Taipei, Da Nang
        """),
        unseen=_names("""
            Zagreb, Windhoek, Salt Lake City, Gdansk, Verona, Ottawa, Luang Prabang, Aarhus,
            Kigali, Odense, Puerto Montt, Malaga, Bristol, Lucerne, Christchurch, Milan, Bergamo,
            San Jose, Winnipeg, Nagoya, Tromso, Granada, New Haven, Bologna, Mombasa
        """),
    ),
    "DATE": Stock(
        known=(
            *_names("tomorrow, today, tonight, this weekend, next week, next month, in two days"),
            *_names("this evening, tomorrow night, in a week, in four hours, on my birthday"),
            *_pairs("this next on", "Monday Tuesday Thursday Friday Sunday"),
            *_pairs("January March April June October", "1 4 9 12 17 23 28"),
        ),
        unseen=(
            *_names("the day after tomorrow, in three weeks, in ten days, next weekend"),
            *_pairs("this next on", "Wednesday Saturday"),
            *_pairs("July September", "2 8 19 30"),
        ),
    ),
    "DISH": Stock(
        known=(
            *_pairs("lentil tomato mushroom pumpkin bean", "soup curry stew risotto salad"),
            *_pairs("cheese potato pepper chickpea", "tart pie pancakes omelette lasagne"),
            *_pairs("lemon apple cherry almond honey", "cake muffins tart biscuits"),
            *_names("fried rice, waffles, cornbread, goulash, gnocchi, tacos, porridge, hummus"),
            *_names("fish and chips, stuffed cabbage, roast chicken, mashed turnips, ratatouille"),
        ),
        unseen=(
            *_pairs("leek carrot spinach", "dumplings gratin pancakes soup"),
            *_names("paella, plum crumble, baked aubergines, beans on toast, grilled trout"),
        ),
    ),
    "TIME": Stock(
        known=(
            *_pairs("five ten 20 25 thirty 45 two 90", "minutes seconds hours"),
            *_names("an hour, half an hour, a minute, an hour and a quarter"),
        ),
        unseen=(
            *_pairs("seven 15 fifty", "minutes seconds"),
            *_names("a quarter of an hour, an hour and a half"),
        ),
    ),
    "ARTIST": Stock(
        known=(
            *_pairs(
                "Mira Jonas Florence Otis Ada Ravi Elena Hugo Lucia Amos Nadia Felix",
                "Keller Okoye Lindqvist Moreau Hale Castro Petrov Singh Marsh Tanaka",
            ),
            *_pairs(
                "Crimson Velvet Midnight Northern Plastic Lazy",
                "Otters Engines Gardeners Saints Arcade Pilots",
            ),
            *_pairs("The", "Otters Engines Gardeners Saints Pilots Sparrows Tailors"),
        ),
        unseen=(
            *_pairs("Tomasz Ingrid Sydney Celeste", "Varga Amadi Brook Nakamura"),
            *_pairs("Wooden Electric The", "Foxes Lighthouses Barbers"),
        ),
    ),
    "SONG": Stock(
        known=(
            *_pairs(
                "Paper Silver Broken Winter Empty Crooked Little Burning",
                "Lanterns Rain River Letters Garden Kingdom Bridges Summer",
            ),
            *_names("Vienna, Honey, Two Hours from Home, Dance until Sunday, Slow Train"),
            *_names("Call Me Later, Stay with Me, Under the Bridge, What We Said, Not Today"),
            *_names("Nothing but Dust, Leave the Light On, Carry the River, Alone in Paris"),
        ),
        unseen=(
            *_pairs("Golden Hollow Distant", "Harbour Mirrors Thunder River"),
            *_names("Bristol, Never Mind the Snow, Ten Minutes Late, Wait for Me"),
        ),
    ),
}

OPENINGS = ("", "", "", "", "please ", "hey , ", "could you help me : ", "ok , ")


def sample_requests(seed: int = 0) -> dict[str, list[Request]]:
    """The sentences of each part, in random order, none twice; same seed, same sentences."""
    draw = random.Random(seed)
    seen: set[str] = set()
    return {
        part: [_new_request(draw, unseen=part != "train", seen=seen) for _ in range(size)]
        for part, size in SIZES.items()
    }


def write_sample(folder: Path, nlp: Language, seed: int = 0) -> dict[str, Path]:
    """Write ``train.spacy``, ``dev.spacy`` and ``test.spacy``; their paths by part."""
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
        request, new_names = _fill(draw, pattern, category, 0.3 if unseen else 0.0)
        if request.text not in seen and (new_pattern or new_names or not unseen):
            seen.add(request.text)
            return request


def _fill(draw: random.Random, pattern: str, category: str, share: float) -> tuple[Request, int]:
    """Put names into a pattern, a ``share`` of them unseen ones; the request, and how many are."""
    pattern = re.sub(r"\(([^)]*)\)", lambda choice: draw.choice(choice[1].split("|")), pattern)
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
    # People do not always write capitals to a machine.
    text = text.lower() if draw.random() < 0.25 else text
    return Request(text, tuple(entities), category), new
