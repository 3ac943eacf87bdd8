"""Installation: dependencies, and the entry points through which spaCy finds every name."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "rnnpipe" / "__init__.py").read_text())[1]

#: What a config can name: the registry's entry-point group, and name = where it is.
REGISTERED = {
    "rnnpipe_embeddings": [
        "rnnpipe.CharCNN.v1 = rnnpipe.parts.embeddings.chars:CharCNN",
        "rnnpipe.CharRNN.v1 = rnnpipe.parts.embeddings.chars:CharRNN",
        "rnnpipe.Concat.v1 = rnnpipe.parts.embeddings.concat:Concat",
        "rnnpipe.Hashed.v1 = rnnpipe.parts.embeddings.hashed:Hashed",
        (
            "rnnpipe.LanguageModelEmbedding.v1 = "
            "rnnpipe.components.language.language_model_embedding:LanguageModelEmbedding"
        ),
        "rnnpipe.PixelRows.v1 = rnnpipe.parts.embeddings.pixels:PixelRows",
        "rnnpipe.Pixels.v1 = rnnpipe.parts.embeddings.pixels:Pixels",
        "rnnpipe.MentionPositions.v1 = rnnpipe.parts.embeddings.mention_positions:MentionPositions",
        "rnnpipe.Tok2Vec.v1 = rnnpipe.parts.embeddings.tok2vec:Tok2Vec",
        "rnnpipe.Vectors.v1 = rnnpipe.parts.embeddings.vectors:Vectors",
        "rnnpipe.WordChar.v1 = rnnpipe.parts.embeddings.word_char:WordChar",
        "rnnpipe.Words.v1 = rnnpipe.parts.embeddings.words:Words",
    ],
    "rnnpipe_encoders": [
        "rnnpipe.BiCIFG.v1 = rnnpipe.parts.encoders.sequence.bidirectional:BiCIFG",
        (
            "rnnpipe.BiChildSumTreeLSTM.v1 = "
            "rnnpipe.parts.encoders.tree.bidirectional_tree:BiChildSumTreeLSTM"
        ),
        "rnnpipe.BiDagLSTM.v1 = rnnpipe.parts.encoders.graph.dag:BiDagLSTM",
        "rnnpipe.BiDiagonalGRU.v1 = rnnpipe.parts.encoders.sequence.bidirectional:BiDiagonalGRU",
        "rnnpipe.BiDiagonalLSTM.v1 = rnnpipe.parts.encoders.sequence.bidirectional:BiDiagonalLSTM",
        "rnnpipe.BiDiagonalRNN.v1 = rnnpipe.parts.encoders.sequence.bidirectional:BiDiagonalRNN",
        "rnnpipe.BiGRU.v1 = rnnpipe.parts.encoders.sequence.bidirectional:BiGRU",
        "rnnpipe.BiLSTM.v1 = rnnpipe.parts.encoders.sequence.bidirectional:BiLSTM",
        "rnnpipe.BiMGU.v1 = rnnpipe.parts.encoders.sequence.bidirectional:BiMGU",
        "rnnpipe.BiOriginalLSTM.v1 = rnnpipe.parts.encoders.sequence.bidirectional:BiOriginalLSTM",
        "rnnpipe.BiPeepholeLSTM.v1 = rnnpipe.parts.encoders.sequence.bidirectional:BiPeepholeLSTM",
        "rnnpipe.BiRNN.v1 = rnnpipe.parts.encoders.sequence.bidirectional:BiRNN",
        "rnnpipe.BiUGRNN.v1 = rnnpipe.parts.encoders.sequence.bidirectional:BiUGRNN",
        "rnnpipe.CIFG.v1 = rnnpipe.parts.encoders.sequence.recurrent:CIFG",
        "rnnpipe.ChildSumTreeLSTM.v1 = rnnpipe.parts.encoders.tree.tree:ChildSumTreeLSTM",
        "rnnpipe.DiagonalBiLSTM.v1 = rnnpipe.parts.encoders.image.diagonal_bilstm:DiagonalBiLSTM",
        "rnnpipe.DagLSTM.v1 = rnnpipe.parts.encoders.graph.dag:DagLSTM",
        "rnnpipe.DiagonalGRU.v1 = rnnpipe.parts.encoders.sequence.recurrent:DiagonalGRU",
        "rnnpipe.DiagonalLSTM.v1 = rnnpipe.parts.encoders.sequence.recurrent:DiagonalLSTM",
        "rnnpipe.DiagonalRNN.v1 = rnnpipe.parts.encoders.sequence.recurrent:DiagonalRNN",
        "rnnpipe.GRU.v1 = rnnpipe.parts.encoders.sequence.recurrent:GRU",
        "rnnpipe.GraphStateLSTM.v1 = rnnpipe.parts.encoders.graph.graph_state:GraphStateLSTM",
        "rnnpipe.LSTM.v1 = rnnpipe.parts.encoders.sequence.recurrent:LSTM",
        "rnnpipe.MGU.v1 = rnnpipe.parts.encoders.sequence.recurrent:MGU",
        "rnnpipe.NaryTreeLSTM.v1 = rnnpipe.parts.encoders.tree.tree:NaryTreeLSTM",
        "rnnpipe.OriginalLSTM.v1 = rnnpipe.parts.encoders.sequence.recurrent:OriginalLSTM",
        "rnnpipe.PeepholeLSTM.v1 = rnnpipe.parts.encoders.sequence.recurrent:PeepholeLSTM",
        "rnnpipe.PixelCNN.v1 = rnnpipe.parts.encoders.image.pixel_cnn:PixelCNN",
        "rnnpipe.RNN.v1 = rnnpipe.parts.encoders.sequence.recurrent:RNN",
        "rnnpipe.RNTN.v1 = rnnpipe.parts.encoders.tree.tree:RNTN",
        "rnnpipe.RecursiveNet.v1 = rnnpipe.parts.encoders.tree.tree:RecursiveNet",
        "rnnpipe.RowLSTM.v1 = rnnpipe.parts.encoders.image.row_lstm:RowLSTM",
        "rnnpipe.TreeGRU.v1 = rnnpipe.parts.encoders.tree.tree:TreeGRU",
        "rnnpipe.UGRNN.v1 = rnnpipe.parts.encoders.sequence.recurrent:UGRNN",
    ],
    "rnnpipe_poolers": [
        "rnnpipe.Attention.v1 = rnnpipe.parts.poolers.attention:Attention",
        "rnnpipe.Concat.v1 = rnnpipe.parts.poolers.concat:Concat",
        "rnnpipe.Last.v1 = rnnpipe.parts.poolers.last:Last",
        "rnnpipe.Max.v1 = rnnpipe.parts.poolers.max:Max",
        "rnnpipe.Mean.v1 = rnnpipe.parts.poolers.mean:Mean",
        "rnnpipe.Mentions.v1 = rnnpipe.parts.poolers.mentions:Mentions",
    ],
    "rnnpipe_decoders": [
        "rnnpipe.Beam.v1 = rnnpipe.parts.decoders.generation.beam:Beam",
        "rnnpipe.CRF.v1 = rnnpipe.parts.decoders.crf:CRF",
        "rnnpipe.ConstrainedBeam.v1 = rnnpipe.parts.decoders.generation.beam:ConstrainedBeam",
        "rnnpipe.DiverseBeam.v1 = rnnpipe.parts.decoders.generation.beam:DiverseBeam",
        "rnnpipe.LikelihoodParser.v1 = rnnpipe.parts.decoders.likelihood_parser:LikelihoodParser",
        "rnnpipe.MarginParser.v1 = rnnpipe.parts.decoders.margin_parser:MarginParser",
        "rnnpipe.Sampler.v1 = rnnpipe.parts.decoders.generation.sampler:Sampler",
        "rnnpipe.Sigmoid.v1 = rnnpipe.parts.decoders.sigmoid:Sigmoid",
        "rnnpipe.Softmax.v1 = rnnpipe.parts.decoders.softmax:Softmax",
        "rnnpipe.StochasticBeam.v1 = rnnpipe.parts.decoders.generation.beam:StochasticBeam",
    ],
    "rnnpipe_filters": [
        "rnnpipe.Forbidden.v1 = rnnpipe.parts.filters.phrases:Forbidden",
        "rnnpipe.Forced.v1 = rnnpipe.parts.filters.phrases:Forced",
        "rnnpipe.MinP.v1 = rnnpipe.parts.filters.truncation:MinP",
        "rnnpipe.NoRepeat.v1 = rnnpipe.parts.filters.repetition:NoRepeat",
        "rnnpipe.RepetitionPenalty.v1 = rnnpipe.parts.filters.repetition:RepetitionPenalty",
        "rnnpipe.TopK.v1 = rnnpipe.parts.filters.truncation:TopK",
        "rnnpipe.TopP.v1 = rnnpipe.parts.filters.truncation:TopP",
        "rnnpipe.Typical.v1 = rnnpipe.parts.filters.truncation:Typical",
    ],
    "rnnpipe_symbols": [
        "rnnpipe.Backward.v1 = rnnpipe.parts.symbols.backward:Backward",
        "rnnpipe.Bytes.v1 = rnnpipe.parts.symbols.bytes:Bytes",
        "rnnpipe.Characters.v1 = rnnpipe.parts.symbols.characters:Characters",
        "rnnpipe.DecomposedCharacters.v1 = rnnpipe.parts.symbols.decomposed:DecomposedCharacters",
        "rnnpipe.SpacedWords.v1 = rnnpipe.parts.symbols.spaced_words:SpacedWords",
        "rnnpipe.Subwords.v1 = rnnpipe.parts.symbols.subwords:Subwords",
        "rnnpipe.Words.v1 = rnnpipe.parts.symbols.words:Words",
    ],
    "rnnpipe_outputs": [
        "rnnpipe.AdaptiveSoftmax.v1 = rnnpipe.parts.outputs.adaptive:AdaptiveSoftmax",
        "rnnpipe.FullSoftmax.v1 = rnnpipe.parts.outputs.full:FullSoftmax",
        "rnnpipe.SampledSoftmax.v1 = rnnpipe.parts.outputs.sampled:SampledSoftmax",
        "rnnpipe.TiedSoftmax.v1 = rnnpipe.parts.outputs.full:TiedSoftmax",
    ],
    "rnnpipe_pixel_outputs": [
        "rnnpipe.Bernoulli.v1 = rnnpipe.parts.pixel_outputs.bernoulli:Bernoulli",
        (
            "rnnpipe.DiscretizedLogisticMixture.v1 = "
            "rnnpipe.parts.pixel_outputs.logistic:DiscretizedLogisticMixture"
        ),
        "rnnpipe.Softmax.v1 = rnnpipe.parts.pixel_outputs.softmax:Softmax",
    ],
    "rnnpipe_attentions": [
        "rnnpipe.Additive.v1 = rnnpipe.parts.attentions.additive:Additive",
        "rnnpipe.Dot.v1 = rnnpipe.parts.attentions.dot:Dot",
        "rnnpipe.General.v1 = rnnpipe.parts.attentions.general:General",
    ],
    "rnnpipe_adaptations": [
        (
            "rnnpipe.DynamicEvaluation.v1 = "
            "rnnpipe.parts.adaptations.dynamic_evaluation:DynamicEvaluation"
        ),
        "rnnpipe.NeuralCache.v1 = rnnpipe.parts.adaptations.neural_cache:NeuralCache",
    ],
    "rnnpipe_structures": [
        "rnnpipe.Constituents.v1 = rnnpipe.parts.structures.constituents:Constituents",
        "rnnpipe.DependencyTree.v1 = rnnpipe.parts.structures.dependency_tree:DependencyTree",
        "rnnpipe.ImageGrid.v1 = rnnpipe.parts.structures.images:ImageGrid",
        "rnnpipe.ImagePixels.v1 = rnnpipe.parts.structures.images:ImagePixels",
        "rnnpipe.ImageRows.v1 = rnnpipe.parts.structures.images:ImageRows",
        "rnnpipe.SpanEnds.v1 = rnnpipe.parts.structures.span_ends:SpanEnds",
        "rnnpipe.TokenDag.v1 = rnnpipe.parts.structures.token_graph:TokenDag",
        "rnnpipe.TokenGraph.v1 = rnnpipe.parts.structures.token_graph:TokenGraph",
        "rnnpipe.WithMentions.v1 = rnnpipe.parts.structures.with_mentions:WithMentions",
    ],
    "rnnpipe_edges": [
        "rnnpipe.CoreferenceEdges.v1 = rnnpipe.parts.edges.coreference:CoreferenceEdges",
        "rnnpipe.DependencyEdges.v1 = rnnpipe.parts.edges.dependencies:DependencyEdges",
        "rnnpipe.NextTokenEdges.v1 = rnnpipe.parts.edges.next_token:NextTokenEdges",
        "rnnpipe.SameLemmaEdges.v1 = rnnpipe.parts.edges.same_lemma:SameLemmaEdges",
        "rnnpipe.TwoWayEdges.v1 = rnnpipe.parts.edges.two_way:TwoWayEdges",
    ],
    "spacy_architectures": [
        "rnnpipe.ImageModel.v1 = rnnpipe.components.images.image_model:ImageModel",
        "rnnpipe.ImageToText.v1 = rnnpipe.components.translation.image_to_text:ImageToText",
        "rnnpipe.LanguageModel.v1 = rnnpipe.components.language.language_model:LanguageModel",
        "rnnpipe.Network.v1 = rnnpipe.components.labelling.network:Network",
        "rnnpipe.Seq2Seq.v1 = rnnpipe.components.translation.seq2seq:Seq2Seq",
        (
            "rnnpipe.Tok2VecEmbedding.v1 = "
            "rnnpipe.components.tok2vec.tok2vec_embedding:Tok2VecEmbedding"
        ),
        "rnnpipe.Tok2VecEncoder.v1 = rnnpipe.components.tok2vec.tok2vec_encoder:Tok2VecEncoder",
    ],
    "spacy_readers": [
        "rnnpipe.BracketCorpus.v1 = rnnpipe.training.corpora.brackets:BracketCorpus",
        "rnnpipe.CategoryTexts.v1 = rnnpipe.training.corpora.category_texts:CategoryTexts",
        "rnnpipe.ConllCorpus.v1 = rnnpipe.training.corpora.conll:ConllCorpus",
        "rnnpipe.GivenAnnotation.v1 = rnnpipe.training.corpora.given_annotation:GivenAnnotation",
        "rnnpipe.IdxCorpus.v1 = rnnpipe.training.corpora.idx:IdxCorpus",
        "rnnpipe.ImageArchive.v1 = rnnpipe.training.corpora.image_archive:ImageArchive",
        "rnnpipe.ImageFolder.v1 = rnnpipe.training.corpora.image_folder:ImageFolder",
        "rnnpipe.LineCorpus.v1 = rnnpipe.training.corpora.lines:LineCorpus",
        "rnnpipe.ParallelCorpus.v1 = rnnpipe.training.corpora.parallel:ParallelCorpus",
        "rnnpipe.RelationCorpus.v1 = rnnpipe.training.corpora.relations:RelationCorpus",
        "rnnpipe.SlotIntentCorpus.v1 = rnnpipe.training.corpora.slot_intent:SlotIntentCorpus",
        "rnnpipe.TextStream.v1 = rnnpipe.training.corpora.stream:TextStream",
    ],
    "spacy_scorers": [
        "rnnpipe.relation_scorer.v1 = rnnpipe.training.scorers.relation_scorer:relation_scorer",
        "rnnpipe.sequence_scorer.v1 = rnnpipe.training.scorers.sequence_scorer:sequence_scorer",
        (
            "rnnpipe.translation_scorer.v1 = "
            "rnnpipe.training.scorers.sequence_scorer:translation_scorer"
        ),
    ],
    "spacy_loggers": [
        "rnnpipe.Console.v1 = rnnpipe.training.loggers.console:Console",
    ],
    "spacy_batchers": [
        "rnnpipe.StreamBatcher.v1 = rnnpipe.training.corpora.stream:StreamBatcher",
    ],
}
#: What spaCy imports whether or not a config names it: keep these modules light.
ALWAYS = {
    "spacy_factories": ["rnnpipe = rnnpipe.components.factories"],
    "spacy_cli": [
        "rnnpipe = rnnpipe.components.factories",
        "rnnpipe_command = rnnpipe.cli.spacy_command",
    ],
}

PLOTS = ["matplotlib>=3.9"]
#: PNG files.
IMAGES = ["pillow>=11"]
#: BLEU and chrF of translations.
TRANSLATION = ["sacrebleu>=2.4,<3"]
#: Byte pair encoding.
SUBWORDS = ["tokenizers>=0.21,<1"]
#: Peers and data formats of benchmarks/.
BENCHMARKS = ["pytorch-crf>=0.7.2", "conllu>=6.0"]
#: The conformance kit, rnnpipe.testing.
KIT = ["pytest>=8", "hypothesis>=6.100"]
TEST = [
    "coverage>=7.6",
    "pytest-xdist>=3.6.1",
    *KIT,
    "import-linter>=2.6",
    "pyyaml>=6",
    *PLOTS,
    *IMAGES,
    *TRANSLATION,
    *SUBWORDS,
    *BENCHMARKS,
]
LINT = ["ruff>=0.9", "mypy>=1.14"]
#: The pages of docs/.
DOCS = ["sphinx>=8.1,<10", "myst-parser>=4,<6", "furo>=2024.8", "latex2mathml>=3.77,<4"]

setup(
    name="rnnpipe",
    version=VERSION,
    description="Recurrent networks for spaCy, by config: taggers, entity recognisers, classifiers",
    long_description=(HERE / "README.md").read_text(encoding="utf8"),
    long_description_content_type="text/markdown",
    author="the rnnpipe authors",
    license="MIT",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    install_requires=[
        # Bounds that were run: see docs/versions.md.
        "torch>=2.6,<2.16",
        "spacy>=3.8.13,<3.9",
        "thinc>=8.3.12,<8.4",
        "catalogue>=2.0.10,<2.1",
        "confection>=1.3.4,<2",
        "pydantic>=2.7,<3",
        "entrypoints>=0.4",
        "packaging>=22",
        "safetensors>=0.4.5",
        "typer>=0.16",
        "rich>=13",
        "jinja2>=3.1,<4",
        "wasabi>=1.1.1",
        "numpy>=1.26,<3",
    ],
    extras_require={
        "fast": ["numba>=0.60"],
        "plots": PLOTS,
        "images": IMAGES,
        "translation": TRANSLATION,
        "subwords": SUBWORDS,
        "testing": KIT,
        "test": TEST,
        "lint": LINT,
        "docs": DOCS,
        "benchmarks": BENCHMARKS,
        "dev": TEST + LINT + DOCS + ["build>=1.2", "coverage>=7.6", "pre-commit>=4", "tox>=4.20"],
    },
    packages=[*find_packages(include=["rnnpipe", "rnnpipe.*"]), "rnnpipe.configs"],
    package_dir={"rnnpipe.configs": "configs"},
    package_data={
        "rnnpipe": ["py.typed"],
        "rnnpipe.cli": ["templates/**"],
        "rnnpipe.cli.pictures": ["templates/*.html"],
        "rnnpipe.configs": ["*.cfg"],
    },
    entry_points={**REGISTERED, **ALWAYS},
    zip_safe=False,
    classifiers=[
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Text Processing :: Linguistic",
        "Typing :: Typed",
    ],
)
