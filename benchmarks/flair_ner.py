"""Our BiLSTM-CRF against flair's, hidden width 256 in each direction, in one run.

    pip install flair
    RNNPIPE_DATA=data python benchmarks/flair_ner.py [--rounds 5] [--documents 640] [--width 256]

Both read the same sentences (WNUT17), look words up in one learned table of the same width
(flair's ``OneHotEmbeddings``, our ``rnnpipe.Words.v1``), tag BIOES and learn from the same batches
of 32 sentences: flair by ``forward_loss``, ``backward`` and torch's Adam, ours by ``nlp.update``.
Prediction is ``SequenceTagger.predict`` and ``nlp.pipe`` on tokenized text. They are measured in
turn, on one torch thread; the median ratio counts.
"""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path

import spacy
import torch
from interleaved import race
from options import has_peer, parser_for
from spacy.tokens import Doc
from spacy.training import Example

from rnnpipe.training.corpora.conll import ConllCorpus

EMBEDDING_WIDTH, BATCH = 100, 32


class Flair:
    def __init__(self, references: list[Doc], width: int) -> None:
        from flair.data import Dictionary, Sentence
        from flair.embeddings import OneHotEmbeddings
        from flair.models import SequenceTagger

        words, tags = Dictionary(add_unk=True), Dictionary(add_unk=False)
        tags.span_labels = True  # from entity types it makes the tags itself
        self.sentences = []
        for doc in references:
            sentence = Sentence([token.text for token in doc])
            for ent in doc.ents:
                sentence[ent.start : ent.end].add_label("ner", ent.label_)
                tags.add_item(ent.label_)
            for token in doc:
                words.add_item(token.text)
            self.sentences.append(sentence)
        self.tagger = SequenceTagger(
            embeddings=OneHotEmbeddings(words, embedding_length=EMBEDDING_WIDTH),
            tag_dictionary=tags,
            tag_type="ner",
            hidden_size=width,
        )
        self.optimizer = torch.optim.Adam(self.tagger.parameters(), lr=1e-3)

    def train(self) -> None:
        self.tagger.train()
        for begin in range(0, len(self.sentences), BATCH):
            batch = self.sentences[begin : begin + BATCH]
            self.optimizer.zero_grad()
            loss, count = self.tagger.forward_loss(batch)
            (loss / count).backward()
            torch.nn.utils.clip_grad_norm_(self.tagger.parameters(), 5.0)
            self.optimizer.step()
            for sentence in batch:
                sentence.clear_embeddings()

    def predict(self) -> None:
        sentence_of = type(self.sentences[0])
        plain = [sentence_of([token.text for token in sentence]) for sentence in self.sentences]
        self.tagger.predict(plain, mini_batch_size=BATCH)


class Rnnpipe:
    def __init__(self, nlp: spacy.Language, references: list[Doc], width: int) -> None:
        self.nlp = nlp
        nlp.add_pipe(
            "rnn_ner",
            config={
                "entity_probabilities": False,  # flair's are the tags' and not the entities'
                "model": {
                    "@architectures": "rnnpipe.Network.v1",
                    "dropout": 0.5,
                    "embedding": {
                        "@rnnpipe_embeddings": "rnnpipe.Words.v1",
                        "width": EMBEDDING_WIDTH,
                    },
                    "encoder": {"@rnnpipe_encoders": "rnnpipe.BiLSTM.v1", "width": width},
                    "decoder": {"@rnnpipe_decoders": "rnnpipe.CRF.v1"},
                },
            },
        )
        self.words = [[token.text for token in doc] for doc in references]
        self.examples = [
            Example(Doc(nlp.vocab, words=words), doc)
            for words, doc in zip(self.words, references, strict=True)
        ]
        self.optimizer = nlp.initialize(lambda: self.examples)

    def train(self) -> None:
        for begin in range(0, len(self.examples), BATCH):
            self.nlp.update(self.examples[begin : begin + BATCH], sgd=self.optimizer)

    def predict(self) -> None:
        docs = [Doc(self.nlp.vocab, words=words) for words in self.words]
        for _ in self.nlp.pipe(docs):
            pass


def main() -> None:
    args = parser_for(__doc__, rounds=5, documents=640, width=256).parse_args()
    if not has_peer("flair", "flair"):
        return
    torch.set_num_threads(1)
    torch.manual_seed(0)
    path = Path(os.environ["RNNPIPE_DATA"]) / "wnut17" / "wnut17train.conll"
    nlp = spacy.blank("en")
    corpus = ConllCorpus(path=path, ner_column=-1, limit=args.documents)
    references = [example.reference for example in corpus(nlp)]
    n_words = sum(len(doc) for doc in references)
    contestants = {
        "flair": Flair(references, args.width),
        "rnnpipe": Rnnpipe(nlp, references, args.width),
    }
    print(f"flair {version('flair')}, torch {torch.__version__}, {n_words} words")
    race(contestants, ["train", "predict"], args.rounds, n_words, "words")


if __name__ == "__main__":
    main()
