//! Measurements and policy in, verdicts with evidence out. Pure.
