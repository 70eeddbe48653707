//! Running workers and commands, and knowing the machine that they run on.
