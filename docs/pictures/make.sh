#!/bin/bash
# Train the small models that the pages show, and draw their pictures into this folder:
#
#     docs/pictures/make.sh DATA
#
# DATA is a folder with SNIPS, the French words of SIGMORPHON 2020, tinyshakespeare, UD English EWT and
# binarised MNIST (what they are: docs/benchmarks.md). The working folder is ./pictures-work. With one
# thread, each model takes a few minutes. Pages (.html) are photographed by Chromium.
set -e
here=$(cd "$(dirname "$0")" && pwd)
configs=$here/../../configs
data=$(cd "$1" && pwd)
export OMP_NUM_THREADS=1 RNNPIPE_DATA=$data
mkdir -p pictures-work && cd pictures-work

# -- Models --------------------------------------------------------------------------------------
# The digits that are shown are those of step 1,500 of 2,500, where the run was stopped.

python -m rnnpipe quickstart quickstart
{ cat "$configs/slots_intents.cfg"
  printf '\n[training.logger]\n@loggers = "rnnpipe.Console.v1"\npath = "slots.jsonl"\n'; } > slots.cfg
spacy train slots.cfg --paths.train "$data/snips/train" --paths.dev "$data/snips/valid" \
  --training.max_steps 400 --training.eval_frequency 50 --output slots
spacy train "$configs/g2p.cfg" --paths.train "$data/sigmorphon2020-g2p/fre_train.tsv" \
  --paths.dev "$data/sigmorphon2020-g2p/fre_dev.tsv" \
  --training.max_steps 600 --training.eval_frequency 200 --output g2p
spacy train "$configs/char_lm.cfg" --paths.train "$data/tinyshakespeare/input.txt" \
  --paths.dev "$data/tinyshakespeare/input.txt" --components.lm.model.encoder.width 128 \
  --components.lm.model.encoder.depth 1 --training.max_steps 1200 --training.eval_frequency 300 --output lm
python "$here/../../benchmarks/tree_parsing.py" ewt --work parser \
  --training.max_steps 500 --training.eval_frequency 250
spacy train "$configs/images.cfg" --paths.train "$data/mnist-binarized/binarized.npz" \
  --paths.dev "$data/mnist-binarized/binarized.npz" --training.max_steps 2500 \
  --training.eval_frequency 500 --corpora.dev.limit 200 --output images
tail -c 100000 "$data/tinyshakespeare/input.txt" > dev.txt
for cell in LSTM GRU; do
  spacy train "$configs/char_lm.cfg" --paths.train "$data/tinyshakespeare/input.txt" --paths.dev dev.txt \
    --components.lm.model.encoder.@rnnpipe_encoders "rnnpipe.$cell.v1" --components.lm.model.encoder.width 64 \
    --components.lm.model.encoder.depth 1 --training.dropout 0.0 --training.max_steps 100 \
    --training.eval_frequency 100 --output "${cell,,}"
done

# -- Pictures -------------------------------------------------------------------------------------

shrink() { python "$here/shrink.py" "$1" "$here/$2" "${@:3}"; }
photograph() {
  chromium --headless --no-sandbox --hide-scrollbars --window-size=1300,900 \
    --screenshot="$PWD/$2" "file://$PWD/$1"
}

spacy rnn lattice quickstart/model-best "book a table for two in Lisbon on friday" \
  --output entities.html --force
photograph entities.html entities.png
shrink entities.png entities.png 170 240 830 315

spacy rnn lattice slots/model-best "book a table for two in Lisbon on friday" --component ner \
  --output lattice.html --force
photograph lattice.html lattice.png
shrink lattice.png lattice.png 170 429 990 760

spacy rnn curves slots.jsonl --output curves.png --force
shrink curves.png curves.png

spacy rnn transitions quickstart/model-best --component ner --output transitions.png --force
shrink transitions.png transitions.png

spacy rnn attention g2p/model-best "château" --output attention.png --force
shrink attention.png attention.png

spacy rnn gradients lstm/model-best dev.txt --compare gru/model-best --output gradients.png --force
shrink gradients.png gradients.png

spacy rnn gates lm/model-best dev.txt --output gates.png --force
shrink gates.png gates.png

spacy rnn exposure-bias lm/model-best dev.txt --prompts 100 --length 200 --output gap.png --force
shrink gap.png gap.png

spacy rnn loss lm/model-best --text "ROMEO:
But soft, what light through yonder window breaks?
It is the east, and Juliet is the sun." --output loss.html --force
photograph loss.html loss.png
shrink loss.png loss.png 160 190 1000 345

python "$here/parse.py" parser/model-best "The cat on the mat saw a small dog" "$here/parse.svg"

spacy rnn draw images/model-best --output digits.png --n 49 --seed 0 --force
shrink digits.png digits.png
