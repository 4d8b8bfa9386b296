//! Generators and strict receivers that demo and simulate ship with.
