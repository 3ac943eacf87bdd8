"""Relations between marked nouns: spans, categories, and what is wrong on which line."""

import pytest
import spacy

from rnnpipe.errors import CorpusError, SettingsError
from rnnpipe.training.corpora.relations import RelationCorpus, read_relations

NLP = spacy.blank("en")
TWO = """1	"The <e1>baker</e1> uses an old <e2>dough machine</e2>."
Instrument-Agency(e2,e1)
Comment: by hand

2	"<e1>Rain</e1> and pre-<e2>war</e2> "songs"."
Other

"""


@pytest.fixture
def corpus(tmp_path):
    def read(text, **settings):
        (tmp_path / "relations.txt").write_text(text, encoding="utf8")
        return list(RelationCorpus(tmp_path / "relations.txt", **settings)(NLP))

    return read


def test_marked_nouns_become_spans(corpus):
    first, second = corpus(TWO)
    assert first.reference.text == "The baker uses an old dough machine."
    assert first.reference.cats == {"Instrument-Agency(e2,e1)": 1.0}
    assert [span.text for span in first.reference.spans["mentions"]] == ["baker", "dough machine"]
    assert second.reference.text == 'Rain and pre-war "songs".'
    assert second.reference.cats == {"Other": 1.0}


def test_the_pipeline_is_given_the_spans_alone(corpus):
    given = corpus(TWO, spans_key="nouns")[0].predicted
    assert [span.text for span in given.spans["nouns"]] == ["baker", "dough machine"]
    assert given.cats == {}


def test_a_mark_inside_a_token_marks_the_token(corpus):
    text = '1\t"Coffee<e1>maker</e1>s like <e2>coffee</e2>"\nOther\n'
    (example,) = corpus(text)
    assert [span.text for span in example.reference.spans["mentions"]] == ["Coffeemakers", "coffee"]


def test_shares_hold_all_examples_once(corpus):
    text = "\n".join(f'{i}\t"<e1>A</e1> and <e2>b{i}</e2>"\nOther\n' for i in range(60))
    texts = [{eg.text for eg in corpus(text, share=share)} for share in [(0.0, 0.3), (0.3, 1.0)]]
    assert not texts[0] & texts[1]
    assert len(texts[0] | texts[1]) == 60


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '1\t"<e1>A</e1> <e2>b</e2>"\n',
            (
                "relations:1: expected a line with a sentence, a line with its relation and an "
                "optional comment, got '1 lines'. Put a blank line between examples."
            ),
        ),
        (
            TWO + "7 no tab\nOther\n",
            "relations:8: expected a number, a tab and a sentence, got '7 no tab'.",
        ),
        (
            '1\t"<e2>A</e2> <e1>b</e1>"\nOther\n',
            (
                "relations:1: expected the marks <e1> </e1> <e2> </e2>, in this order, got '<e2> "
                "</e2> <e1> </e1>'. Mark two nouns, the first as e1."
            ),
        ),
        (
            '1\t"A b"\nOther\n',
            (
                "relations:1: expected the marks <e1> </e1> <e2> </e2>, in this order, got no "
                "marks. Mark two nouns, the first as e1."
            ),
        ),
        (
            '\n1\t"<e1>A</e1> <e2> </e2>"\nOther\n',
            "relations:2: expected a word between the marks, got ' '. Mark at least one word.",
        ),
    ],
    ids=["a line alone", "no tab", "another order", "no marks", "nothing marked"],
)
def test_what_is_wrong_on_which_line(text, message):
    with pytest.raises(CorpusError) as error:
        list(read_relations(enumerate(text.splitlines(), start=1), "relations"))
    assert str(error.value) == message


def test_no_path():
    with pytest.raises(SettingsError, match="expected the path of the corpus, got no path"):
        RelationCorpus(None)


def test_the_real_file(data):
    file = data / "semeval2010-8" / "TRAIN_FILE.TXT"
    held_out = list(RelationCorpus(file, share=(0.0, 0.1))(NLP))
    assert len(held_out) == 797
    assert len({label for eg in held_out for label in eg.reference.cats}) in (18, 19)
    assert all(len(eg.predicted.spans["mentions"]) == 2 for eg in held_out)
