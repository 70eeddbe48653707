//! A CPU inference engine for small GPT-2-style transformers.
