//! ministack
