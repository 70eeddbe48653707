//! Other tools' result files: bytes in, measurements out, one file a format.
