//! seaweedfs
