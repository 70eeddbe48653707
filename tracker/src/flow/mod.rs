//! What several verbs share, and what needs more than one room.
