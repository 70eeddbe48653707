//! The model that an argument names: a reference shape with seeded weights, or a file.

use std::fs::File;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use engine::gguf::ModelFile;
use engine::model::{Format, Model};
use engine::shape::Shape;
use engine::tokenizer::Vocabulary;
use engine::weights::{Seeded, Source};

use super::Failure;

/// How matrices are to be stored.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Stored {
    /// As 32-bit numbers.
    F32,
    /// As Q8_0 blocks.
    Q8,
}

/// Which model.
#[derive(Args)]
pub(super) struct Named {
    /// A GGUF file, or tiny, small, medium or gpt2 for that shape with seeded weights.
    #[arg(long, value_name = "FILE|SHAPE")]
    model: String,
    /// How matrices are stored in memory; as in the file if not given, and f32 without a file.
    #[arg(long)]
    format: Option<Stored>,
    /// The seed of weights that come from no file.
    #[arg(long, default_value_t = 1)]
    weights_seed: u64,
}

/// A model that was found, not yet loaded.
pub(super) enum Found {
    Shape(Seeded),
    File(Box<ModelFile<File>>),
}

impl Named {
    /// What a person would have typed.
    pub(super) fn new(model: &str, format: Option<Stored>) -> Self {
        Self { model: model.to_owned(), format, weights_seed: 1 }
    }

    /// Looks for the model.
    pub(super) fn find(&self) -> Result<Found, Failure> {
        if let Some(shape) = Shape::named(&self.model) {
            return Ok(Found::Shape(Seeded::new(shape, self.weights_seed)));
        }
        let path = PathBuf::from(&self.model);
        let open = || ModelFile::open(File::open(&path)?);
        match open() {
            Ok(file) => Ok(Found::File(Box::new(file))),
            Err(error) => {
                let names: Vec<&str> = Shape::NAMED.iter().map(|(name, _)| *name).collect();
                Err(format!("{}: {error}; the model must be a GGUF file or one of {}", self.model, names.join(", "))
                    .into())
            }
        }
    }

    /// How its matrices will be stored.
    pub(super) fn format(&self, found: &Found) -> Format {
        match (self.format, found) {
            (Some(Stored::F32), _) | (None, Found::Shape(_)) => Format::F32,
            (Some(Stored::Q8), _) => Format::Q8,
            (None, Found::File(file)) => file.format(),
        }
    }
}

impl Found {
    /// Its shape.
    pub(super) fn shape(&self) -> Shape {
        match self {
            Self::Shape(seeded) => seeded.shape(),
            Self::File(file) => file.shape(),
        }
    }

    /// The texts of its tokens; a file without them, like a shape, has a token for each byte.
    pub(super) fn vocabulary(&self) -> Result<Vocabulary, Failure> {
        let count = self.shape().vocabulary();
        let Self::File(file) = self else { return Ok(Vocabulary::bytes(count)) };
        let Some(tokens) = file.tokens() else { return Ok(Vocabulary::bytes(count)) };
        if tokens.count() != count {
            return Err(format!("the file has texts for {} tokens, but weights for {count}", tokens.count()).into());
        }
        let merges = file.merges().into_iter().flat_map(engine::gguf::Strings::iter);
        Ok(Vocabulary::from_bytes(tokens.iter(), merges)?)
    }

    /// Packs its weights.
    pub(super) fn load(self, format: Format) -> Result<Model, Failure> {
        match self {
            Self::Shape(seeded) => {
                let Ok(model) = Model::load(&seeded, format);
                Ok(model)
            }
            Self::File(file) => Ok(Model::load(&*file, format)?),
        }
    }
}
