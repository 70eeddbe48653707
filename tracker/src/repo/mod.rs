//! All of git: history and worktrees. Only this room says `git2`.
