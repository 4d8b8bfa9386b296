//! Delivery streams and destinations; retry, backup, quarantine.
