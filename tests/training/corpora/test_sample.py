import spacy
from spacy.tokens import DocBin

from rnnpipe.training.corpora.sample import (
    NAMES,
    PATTERNS,
    SIZES,
    sample_docs,
    sample_requests,
    write_sample,
)


def test_the_sample_is_deterministic():
    assert sample_requests() == sample_requests()
    assert sample_requests(1) != sample_requests(2)


def test_no_sentence_occurs_twice():
    parts = sample_requests()
    assert {part: len(requests) for part, requests in parts.items()} == SIZES
    texts = [request.text for requests in parts.values() for request in requests]
    assert len(set(texts)) == len(texts)


def test_known_and_unseen_do_not_overlap():
    for stock in [*PATTERNS.values(), *NAMES.values()]:
        assert not set(stock.known) & set(stock.unseen)
    for stock in NAMES.values():
        assert all(name.strip() == name and name for name in (*stock.known, *stock.unseen))


def test_training_sentences_have_nothing_unseen_in_them():
    known = {(name.lower(), label) for label, stock in NAMES.items() for name in stock.known}
    for request in sample_requests()["train"]:
        found = {(request.text[s:e].lower(), label) for s, e, label in request.entities}
        assert found <= known


def test_every_evaluation_sentence_has_something_unseen_in_it():
    parts = sample_requests()

    def parts_of(request):
        """The sentence with its names taken out, and the names."""
        pattern, end, names = "", 0, []
        for start, stop, label in request.entities:
            pattern += request.text[end:start] + label
            names.append((request.text[start:stop], label))
            end = stop
        return {pattern + request.text[end:], *names}

    seen = set().union(*(parts_of(request) for request in parts["train"]))
    for request in parts["dev"] + parts["test"]:
        assert parts_of(request) - seen


def test_entities_are_tokens_of_the_english_tokenizer():
    nlp = spacy.blank("en")
    for requests in sample_requests().values():
        for request, doc in zip(requests, sample_docs(nlp, requests), strict=True):
            found = [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]
            assert found == list(request.entities)
            assert [label for label, truth in doc.cats.items() if truth] == [request.category]


def test_what_is_written_is_read(tmp_path):
    nlp = spacy.blank("en")
    paths = write_sample(tmp_path, nlp)
    for part, requests in sample_requests().items():
        docs = list(DocBin().from_disk(paths[part]).get_docs(nlp.vocab))
        assert [doc.text for doc in docs] == [request.text for request in requests]
        assert all(doc.cats for doc in docs)
