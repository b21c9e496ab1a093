//! Addresses that lead to no store: a name, a port, a protocol, a certificate. Waiting mends none of them, so nothing is
//! tried again.

/// Why an address leads to no store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// Its name stands for no address.
    #[error("there is no host named {host}")]
    UnknownHost {
        /// The name that was looked up.
        host: String,
        /// It comes from `BACKUP_S3_ENDPOINT`, and not from the region.
        chosen: bool,
    },
    /// The machine refuses the connection, and has not been reached before in this run.
    #[error("no server listens at {endpoint}: {cause}")]
    NoServer {
        /// The URL.
        endpoint: String,
        /// What the system said.
        cause: String,
    },
    /// Nothing answers there, and nothing has before in this run. It is tried a few times.
    #[error("nothing answers at {endpoint}: no connection within {seconds} s")]
    Silent {
        /// The URL.
        endpoint: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The store's certificate proves nothing to this machine.
    #[error("the certificate of {endpoint} cannot be trusted: {cause}")]
    Certificate {
        /// The URL.
        endpoint: String,
        /// What is wrong with it, in words.
        cause: String,
        /// What kind of wrong that is.
        fault: CertificateFault,
    },
    /// Both speak TLS, and find nothing in common.
    #[error("no TLS connection to {endpoint}: {cause}")]
    Tls {
        /// The URL.
        endpoint: String,
        /// The library's own words.
        cause: String,
    },
    /// `https` was asked for, and what answers doesn't speak TLS.
    #[error("{endpoint} answers without TLS")]
    NoTls {
        /// The URL.
        endpoint: String,
    },
    /// `http` was asked for, and what answers wants TLS.
    #[error("{endpoint} answers with TLS alone")]
    WantsTls {
        /// The URL.
        endpoint: String,
    },
    /// Something answers that isn't S3.
    #[error("what answers at {endpoint} is not an S3 store: {found}")]
    NotS3 {
        /// The URL.
        endpoint: String,
        /// What it said, in words.
        found: String,
    },
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateFault {
    /// Nobody whom this machine trusts has signed it.
    Issuer,
    /// It is made out to another name.
    Name,
    /// It has expired, or isn't valid yet.
    Time,
    /// Anything else.
    Other,
}

impl EndpointError {
    /// True when the same request may succeed a little later.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Silent { .. })
    }

    /// True when a setting is wrong, and not a machine.
    #[must_use]
    pub fn is_setting(&self) -> bool {
        matches!(self, Self::UnknownHost { .. } | Self::NoTls { .. } | Self::WantsTls { .. } | Self::NotS3 { .. })
    }

    /// What to do about it, in one line.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::UnknownHost { chosen: true, .. } => {
                "check the host name in BACKUP_S3_ENDPOINT; where the bucket's name was put before it, set BACKUP_S3_PATH_STYLE=true"
            }
            Self::UnknownHost { chosen: false, .. } => "check AWS_REGION: the name is made of it",
            Self::NoServer { .. } => "check the port in BACKUP_S3_ENDPOINT, and that the store runs",
            Self::Silent { .. } => "check host and port in BACKUP_S3_ENDPOINT, and the firewalls between here and there",
            Self::Certificate { fault: CertificateFault::Issuer, .. } => {
                "set AWS_CA_BUNDLE (or SSL_CERT_FILE) to the file that holds the certificate of the authority that signed it"
            }
            Self::Certificate { fault: CertificateFault::Name, .. } => {
                "use a host name that the certificate holds in BACKUP_S3_ENDPOINT, or have it issued for this one"
            }
            Self::Certificate { fault: CertificateFault::Time, .. } => {
                "have the store's certificate renewed, and compare this machine's clock: timedatectl"
            }
            Self::Certificate { fault: CertificateFault::Other, .. } | Self::Tls { .. } => {
                "look at it with: openssl s_client -connect HOST:PORT; it has to offer TLS 1.2 or 1.3 and a certificate for servers"
            }
            Self::NoTls { .. } => "if the store is at this port, begin BACKUP_S3_ENDPOINT with http://; otherwise check the port",
            Self::WantsTls { .. } => "begin BACKUP_S3_ENDPOINT with https://",
            Self::NotS3 { .. } => {
                "check host and port in BACKUP_S3_ENDPOINT (a store's console has another port); behind a proxy or a login page, look at it with curl"
            }
        }
        .to_owned()
    }
}
