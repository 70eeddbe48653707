//! How long a model takes from nothing, or from its file, to the first token that it could compute.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use engine::gguf::{self, ModelFile};
use engine::model::{Format, Model};
use engine::shape::Shape;
use engine::tokenizer::Vocabulary;
use engine::weights::Seeded;
use tachograph_harness::{Benchmark, Suite};

use super::models::{SEED, Which};

pub(crate) fn offer(suite: &mut Suite<'_>) {
    for (name, shape) in Shape::NAMED {
        let which = Which::new(name, shape, Format::F32);
        let mut benchmark = suite.benchmark(format_args!("load/{name}/build"), move || move || which.build());
        whole(&mut benchmark, which);
    }
    for (name, shape) in Shape::NAMED {
        // The large one as people have it: half a gigabyte of 32-bit numbers would measure the disk.
        let format = if shape == Shape::GPT2 { Format::Q8 } else { Format::F32 };
        let which = Which::new(name, shape, format);
        let mut benchmark = suite.benchmark(format_args!("load/{name}/gguf"), move || {
            let file = Written::new(which);
            move || file.load()
        });
        whole(&mut benchmark, which);
    }
}

fn whole(benchmark: &mut Benchmark<'_, '_, Model>, which: Which) {
    benchmark.elements(which.shape.parameter_count()).check(move |model: &Model| {
        // A byte a weight is the least, in blocks.
        let least = which.shape.parameter_count() * if which.format == Format::F32 { 4 } else { 1 };
        let right = model.shape() == which.shape && model.format() == which.format && model.bytes() >= least;
        if right { Ok(()) } else { Err(format!("{} bytes of weights, where {least} are the least", model.bytes())) }
    });
}

/// A model's file, which goes when the benchmark is freed.
struct Written(PathBuf);

impl Written {
    fn new(which: Which) -> Self {
        let name = format!("engine-suite-{}-{}-{}.gguf", std::process::id(), which.name, which.format_name());
        let written = Self(std::env::temp_dir().join(name));
        let vocabulary = Vocabulary::bytes(which.shape.vocabulary());
        let mut out = BufWriter::new(File::create(&written.0).unwrap_or_else(|error| panic!("{error}")));
        gguf::write(&mut Seeded::new(which.shape, SEED), which.format, &vocabulary, &mut out)
            .and_then(|()| out.flush())
            .unwrap_or_else(|error| panic!("{}: {error}", written.0.display()));
        written
    }

    fn load(&self) -> Model {
        let read = || {
            let file = ModelFile::open(File::open(&self.0)?)?;
            let format = file.format();
            Model::load(&file, format)
        };
        read().unwrap_or_else(|error| panic!("{}: {error}", self.0.display()))
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
