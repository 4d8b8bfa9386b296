//! Tests of the journal through its public doors, on the real disk and on a simulated one.

#[cfg(test)]
mod common;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod look;
#[cfg(test)]
mod model;
#[cfg(test)]
mod power;
#[cfg(test)]
mod promises;
#[cfg(test)]
mod real_disk;
#[cfg(test)]
mod rot;
