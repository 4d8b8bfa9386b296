//! The AWS client against scripted peers: signatures, credentials, faults, objects, queues, tags.

mod identity;
mod objects;
mod queues;
mod support;
