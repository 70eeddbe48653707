//! How long a model takes from nothing to the first token that it could compute.

use engine::model::Format;
use engine::shape::Shape;
use tachograph_harness::Suite;

use super::models::Which;

pub(crate) fn offer(suite: &mut Suite<'_>) {
    for (name, shape) in Shape::NAMED {
        let which = Which::new(name, shape, Format::F32);
        suite
            .benchmark(format_args!("load/{name}/build"), move || move || which.build())
            .elements(shape.parameter_count())
            .check(move |model| {
                let least = shape.parameter_count() * 4;
                if model.shape() == shape && model.bytes() >= least {
                    Ok(())
                } else {
                    Err(format!("{} bytes of weights, where {least} are the least", model.bytes()))
                }
            });
    }
}
