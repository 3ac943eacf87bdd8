"""Workers that are spawned, not forked: the only ones on Windows and the default on macOS."""

import json
import subprocess
import sys

from handful import fresh_docs, pipeline, train

SCRIPT = """
import json, multiprocessing, sys
import spacy
from spacy.tokens import Doc

if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    nlp = spacy.load(sys.argv[1])
    docs = [Doc(nlp.vocab, words=words) for words in json.loads(sys.argv[2])]
    found = nlp.pipe(docs, n_process=2, batch_size=2)
    print(json.dumps([[[e.start, e.end, e.label_] for e in doc.ents] for doc in found]))
"""


def test_spawned_workers_agree_with_one_process(tmp_path):
    nlp = pipeline("rnn_ner")
    train(nlp)
    nlp.to_disk(tmp_path / "model")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf8")
    docs = fresh_docs(nlp)
    words = json.dumps([[token.text for token in doc] for doc in docs])
    command = [sys.executable, str(script), str(tmp_path / "model"), words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    alone = [[[e.start, e.end, e.label_] for e in doc.ents] for doc in nlp.pipe(docs)]
    assert any(alone)
    assert json.loads(done.stdout) == alone
