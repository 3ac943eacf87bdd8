"""Tag schemes: what is legal, spans to tags and back, conversion, the first violation."""

import itertools
import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from rnnpipe.contracts.schemes import EDGE, MISSING, SCHEMES, Scheme, convert
from rnnpipe.errors import LabelError

TYPES = ("PER", "MISC-work-of-art")
#: One document, "a a b b b - a b", with entities (0, 2, A) (2, 5, B) (6, 7, A) (7, 8, B).
ENTITIES = [(0, 2, 0), (2, 5, 1), (6, 7, 0), (7, 8, 1)]
WRITTEN = {
    "BIO": "B-A I-A B-B I-B I-B O B-A B-B",
    "IOB1": "I-A I-A I-B I-B I-B O I-A I-B",
    "BIOES": "B-A E-A B-B I-B E-B O S-A S-B",
    "BILUO": "B-A L-A B-B I-B L-B O U-A U-B",
    "BMES": "B-A E-A B-B M-B E-B O S-A S-B",
    "IO": "I-A I-A I-B I-B I-B O I-A I-B",
}
#: As regular expressions over letters of one type: the whole of an entity, wherever it stands.
ENTITY = {
    "BIO": "BI*",
    "IOB1": "I[IB]*",  # and B only here: after an entity of the same type
    "BIOES": "S|BI*E",
    "BILUO": "U|BI*L",
    "BMES": "S|BM*E",
    "IO": "I+",
}

schemes = pytest.mark.parametrize("scheme", list(SCHEMES.values()), ids=list(SCHEMES))


def bind(scheme, types=("A", "B")):
    return scheme.bind(scheme.tags(types))


def spans_of(document):
    """A strategy's list of (gap, length, type) laid out one after the other."""
    spans, position = [], 0
    for gap, length, kind in document:
        spans.append((position + gap, position + gap + length, kind))
        position += gap + length
    return spans, position


documents = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.integers(0, 1)), max_size=5)


def merged(spans):
    """What is left of spans where touching entities of one type become one."""
    kept = []
    for start, end, kind in spans:
        if kept and kept[-1][1] == start and kept[-1][2] == kind:
            start = kept.pop()[0]
        kept.append((start, end, kind))
    return kept


def conlleval(tags):
    """Entities as conlleval.pl finds them: its startOfChunk and endOfChunk, tag by tag."""
    spans, start = [], None
    tags = [(tag[0], tag[2:]) for tag in [*tags, "O"]]
    before, before_type = "O", ""
    for i, (tag, kind) in enumerate(tags):
        other = kind != before_type
        ends = before != "O" and (other or tag in "BSO" or before in "ES")
        starts = tag != "O" and (other or tag in "BS" or before in "ESO")
        if ends:
            spans.append((start, i, before_type))
        if starts:
            start = i
        before, before_type = tag, kind
    return spans


@schemes
def test_entities_are_written_as_the_scheme_has_it(scheme):
    tags = bind(scheme)
    ids = tags.encode(ENTITIES, 8)
    assert " ".join(tags.names[i] for i in ids) == WRITTEN[scheme.name]
    assert tags.decode(ids).tolist() == [list(span) for span in ENTITIES]


def grammar(scheme, kinds):
    """A regular expression for legal documents, each tag written as letter, type and a blank."""
    entities = [
        re.sub(r"(\[[A-Z]+\]|[A-Z])", rf"(?:\1{kind} )", ENTITY[scheme.name]) for kind in kinds
    ]
    return "(?:O |" + "|".join(entities) + ")*"


@schemes
def test_what_is_legal_is_what_entities_can_be_made_of(scheme):
    """Every sequence of up to four tags against a grammar."""
    kinds = "AB" if len(scheme.letters) < 3 else "A"
    tags = bind(scheme, kinds)
    for length in range(1, 5):
        for ids in itertools.product(range(len(tags.names)), repeat=length):
            text = "".join(tags.names[i].replace("-", "") + " " for i in ids)
            legal = re.fullmatch(grammar(scheme, kinds), text) is not None
            assert (tags.check(np.array(ids)) is None) == legal, text


@schemes
@given(document=documents, extra=st.integers(0, 2))
@hypothesis_settings(max_examples=50, deadline=None)
def test_spans_survive_the_way_through_tags(scheme, document, extra):
    spans, length = spans_of(document)
    tags = bind(scheme)
    ids = tags.encode(reversed(spans), length + extra)
    assert tags.check(ids) is None
    want = merged(spans) if scheme.name == "IO" else spans
    assert [tuple(span) for span in tags.decode(ids).tolist()] == want
    assert scheme.check([tags.names[i] for i in ids]) is None


@pytest.mark.parametrize("name", ["BIO", "IOB1", "BIOES"])
@given(data=st.data())
@hypothesis_settings(max_examples=100, deadline=None)
def test_illegal_sequences_are_read_as_conlleval_reads_them(name, data):
    names = SCHEMES[name].tags("AB")
    tags = SCHEMES[name].bind(names)
    ids = data.draw(st.lists(st.integers(0, len(names) - 1), max_size=8))
    found = tags.decode(np.array(ids, dtype=np.int64)).tolist()
    found = [(start, end, tags.types[kind]) for start, end, kind in found]
    assert found == conlleval([names[i] for i in ids])


@schemes
def test_a_batch_is_read_document_by_document(scheme):
    tags = bind(scheme)
    rng = np.random.default_rng(0)
    ids = rng.integers(-1, len(tags.names), (6, 9))
    lengths = np.array([9, 0, 1, 4, 9, 3])
    found = tags.decode_batch(ids, lengths).tolist()
    want = [
        [row, *span] for row, n in enumerate(lengths) for span in tags.decode(ids[row, :n]).tolist()
    ]
    assert found == want
    assert tags.decode_batch(np.zeros((0, 0), int), np.zeros(0, int)).shape == (0, 4)
    assert tags.decode_batch(np.zeros((2, 0), int), np.zeros(2, int)).shape == (0, 4)


@pytest.mark.parametrize("source, target", list(itertools.product(SCHEMES, repeat=2)))
@given(document=documents)
@hypothesis_settings(max_examples=10, deadline=None)
def test_conversion_keeps_the_entities_that_both_schemes_can_tell(source, target, document):
    spans, length = spans_of(document)
    source, target = SCHEMES[source], SCHEMES[target]
    spans = merged(spans) if "IO" in (source.name, target.name) else spans
    tags = bind(source)
    words = [tags.names[i] for i in tags.encode(spans, length)]
    converted = convert(words, source, target)
    other = bind(target)
    assert list(converted) == [other.names[i] for i in other.encode(spans, length)]


def test_the_same_entities_in_every_scheme():
    for a, b in itertools.product(WRITTEN, repeat=2):
        assert " ".join(convert(WRITTEN[a].split(), SCHEMES[a], SCHEMES[b])) == WRITTEN[b]


def test_touching_entities_of_one_type():
    spans = [(0, 2, 0), (2, 3, 0), (3, 5, 0)]
    written = {"BIO": "B I B B I", "IOB1": "I I B B I", "BIOES": "B E S B E", "IO": "I I I I I"}
    for name, letters in written.items():
        tags = bind(SCHEMES[name])
        assert [tags.names[i][0] for i in tags.encode(spans, 5)] == letters.split()


@schemes
def test_tags_of_types_with_hyphens_and_of_none(scheme):
    names = scheme.tags(TYPES)
    assert names[0] == "O" and len(set(names)) == len(names)
    assert scheme.bind(names).types == TYPES
    assert scheme.tags([*TYPES, "NEW"])[: len(names)] == names
    assert scheme.split(f"{scheme.begin}-MISC-work-of-art") == (scheme.begin, TYPES[1])
    # Word segmentation has letters alone.
    words = scheme.bind([name for name in scheme.tags([""]) if name != "O"])
    assert words.types == ("",)
    ids = words.encode([(0, 2, 0), (2, 3, 0)], 3)
    assert words.names[ids[0]] == scheme.begin
    assert scheme.check([words.names[i] for i in ids]) is None


def test_names_may_come_in_any_order():
    tags = SCHEMES["BIO"].bind(["I-B", "B-A", "O", "B-B", "I-A"])
    assert tags.types == ("B", "A")
    ids = tags.encode([(1, 3, 1), (3, 5, 0)], 6)
    assert [tags.names[i] for i in ids] == ["O", "B-A", "I-A", "B-B", "I-B", "O"]
    assert tags.decode(ids).tolist() == [[1, 3, 1], [3, 5, 0]]
    assert tags.members.tolist() == [[0, 3], [1, 4]]


@schemes
def test_allowed_is_what_the_bound_tags_say(scheme):
    names = scheme.tags(TYPES)
    start, transitions, end = scheme.allowed(names)
    assert start.shape == end.shape == (len(names),)
    for (i, a), (j, b) in itertools.product(enumerate(names), repeat=2):
        # O on either side makes a whole document of any pair of neighbours.
        whole = ["O", *a_path_to(scheme, a), a, b, *a_path_from(scheme, b), "O"]
        assert transitions[i, j] == (scheme.check(whole) is None), (a, b)
    assert [start[i] for i, name in enumerate(names)] == [
        scheme.check([name, *a_path_from(scheme, name)]) is None for name in names
    ]


def a_path_to(scheme, tag):
    """Tags that lead from O to this one legally."""
    letter, kind = scheme.split(tag)
    if letter == "O" or letter in (scheme.begin, scheme.single):
        return []
    return [f"{scheme.begin}-{kind}"]


def a_path_from(scheme, tag):
    """Tags that lead from this one to O legally."""
    letter, kind = scheme.split(tag)
    if letter == "O" or letter in (scheme.end, scheme.single, scheme.separator):
        return []
    return [f"{scheme.end}-{kind}"]


def test_the_first_violation_is_named():
    bio, bioes = SCHEMES["BIO"], SCHEMES["BIOES"]
    violation = bio.check(["O", "B-A", "I-A", "O", "I-B", "I-A"])
    assert (violation.position, violation.previous, violation.tag) == (4, "O", "I-B")
    assert str(violation) == (
        "token 4: expected a tag that BIO allows after 'O', got 'I-B'. "
        "Correct the tags, or set the scheme of the data."
    )
    found = [
        (bio.check(["I-A"]), (0, EDGE, "I-A")),
        (bio.check(["B-A", "I-B"]), (1, "B-A", "I-B")),
        (bioes.check(["O", "B-A"]), (1, "B-A", EDGE)),
        (bioes.check(["B-A", "O", "O"]), (1, "B-A", "O")),
        (bio.check(["O", "PER"]), (1, "O", "PER")),
        (bio.check(["O", "S-A"]), (1, "O", "S-A")),
        (bio.check(["B-"]), (0, EDGE, "B-")),
        (SCHEMES["IOB1"].check(["O", "B-A"]), (1, "O", "B-A")),
    ]
    for violation, want in found:
        assert (violation.position, violation.previous, violation.tag) == want


def test_missing_tags_are_legal_where_some_tag_is():
    bioes = SCHEMES["BIOES"]
    assert bioes.check([None, None]) is None
    assert bioes.check(["B-A", None, "O"]) is None  # E-A
    violation = bioes.check(["B-A", None, "B-A", None, None, "I-A", "O"])
    assert (violation.position, violation.previous, violation.tag) == (6, "I-A", "O")
    violation = bioes.check(["B-A", None, "I-B"])
    assert (violation.position, violation.previous, violation.tag) == (2, MISSING, "I-B")
    assert bioes.check([]) is None


def test_partial_tags():
    tags = SCHEMES["BIO"].bind(SCHEMES["BIO"].tags("A"))  # O, B-A, I-A
    gold = np.array([[1, 1, 0], [0, 0, 1], [1, 0, 1]], dtype=bool)
    assert tags.check(gold) is None
    gold[0, 1] = False
    assert tags.check(gold).position == 1


@pytest.mark.parametrize(
    "spans, length",
    [([(0, 2, 0), (1, 3, 1)], 4), ([(2, 2, 0)], 4), ([(3, 5, 0)], 4), ([(-1, 1, 0)], 4)],
)
def test_spans_that_do_not_fit_are_refused(spans, length):
    with pytest.raises(LabelError, match="expected disjoint, non-empty spans within 4 tokens"):
        bind(SCHEMES["BIO"]).encode(spans, length)


def test_spans_that_need_unknown_tags_are_refused():
    tags = SCHEMES["BIO"].bind(["O", "B-A"])
    assert tags.encode([(0, 1, 0)], 2).tolist() == [1, 0]
    with pytest.raises(LabelError, match="expected all tags of BIO that the gold spans need"):
        tags.encode([(0, 2, 0)], 2)


def test_tags_of_another_scheme_are_refused():
    with pytest.raises(LabelError) as error:
        SCHEMES["BIO"].bind(["O", "S-PER"])
    assert str(error.value) == (
        "tag scheme BIO: expected a tag of the form O, B-TYPE, I-TYPE, got 'S-PER'. "
        "Set the scheme of the data, or convert the data."
    )


@schemes
def test_schemes_and_tags_can_be_pickled(scheme):
    tags = bind(scheme)
    tags.decode(tags.encode(ENTITIES, 8))
    twin = pickle.loads(pickle.dumps(tags))
    assert twin == tags and twin.scheme == scheme
    assert hash(scheme) == hash(pickle.loads(pickle.dumps(scheme)))


def test_a_scheme_of_ones_own():
    # Only the end of an entity is marked: IOE2.
    scheme = Scheme("IOE2", begin="I", inside="I", end="E", single="E")
    tags = bind(scheme)
    ids = tags.encode(ENTITIES, 8)
    assert " ".join(tags.names[i] for i in ids) == "I-A E-A I-B I-B E-B O E-A E-B"
    assert tags.decode(ids).tolist() == [list(span) for span in ENTITIES]
    assert scheme.check(["I-A", "O"]) is not None
