//! Scripted peers on loopback, temporary directories, a process harness.
