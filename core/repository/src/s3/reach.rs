//! Why a request got no answer: what waiting may mend is told from what it can't.

use std::error::Error as StdError;
use std::io;
use std::sync::atomic::Ordering;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::SdkError;
use catalog::words::second;
use jiff::Timestamp;
use rustls::CertificateError;

use super::Bucket;
use super::probe::{Address, Greeting};
use super::refusal::{causes, innermost};
use crate::{CertificateFault, EndpointError, Error};

/// What the system's resolver says begins so. It has no kinds; a program that sets no locale, as this one, gets its texts in
/// English.
const LOOKUP: &str = "failed to lookup address information: ";
/// What it says of a name of which nobody can tell anything now.
const UNKNOWN_NOW: [&str; 2] = ["Temporary failure", "System error"];

impl Bucket {
    /// What a request came to that got no answer about `object`; [`Error::NetworkAway`] where nothing else is known.
    pub(crate) fn unreached<E>(&self, object: String, refused: &SdkError<E, HttpResponse>) -> Error
    where
        E: StdError + Send + Sync + 'static,
    {
        let cause = innermost(refused);
        if let Some(error) = self.unencrypted(refused) {
            return error.into();
        }
        // Whoever has answered in this run has an address and a port; a restart of it passes.
        let is_first = !self.answered.load(Ordering::Relaxed);
        let timed_out = is_timeout(refused);
        let lookup = lookup(&cause);
        match (&self.endpoint, lookup) {
            (_, Some(words)) if is_first && !UNKNOWN_NOW.iter().any(|now| words.contains(now)) => {
                return EndpointError::UnknownHost { host: self.host(), chosen: self.endpoint.is_some() }.into();
            }
            (Some(_), None) if is_first && timed_out => {
                let (endpoint, seconds) = (self.address(), self.settings.connect_timeout.as_secs());
                return EndpointError::Silent { endpoint, seconds }.into();
            }
            (Some(_), None) if is_first && has_kind(refused, &[io::ErrorKind::ConnectionRefused]) => {
                return EndpointError::NoServer { endpoint: self.address(), cause }.into();
            }
            _ if timed_out => return Error::Timeout { object, seconds: self.settings.connect_timeout.as_secs() },
            _ => {}
        }
        let of_credentials = causes(refused).any(|cause| cause.to_string().contains("credential"));
        if of_credentials && lookup.is_none() && !has_kind(refused, &AWAY) {
            return Error::NoCredentials { cause };
        }
        Error::NetworkAway { object, cause }
    }

    /// What TLS has to say.
    fn unencrypted(&self, refused: &(dyn StdError + 'static)) -> Option<EndpointError> {
        let error = causes(refused).find_map(|cause| cause.downcast_ref::<rustls::Error>())?;
        let endpoint = self.address();
        let is_first = !self.answered.load(Ordering::Relaxed);
        match error {
            rustls::Error::InvalidCertificate(error) => {
                let (fault, cause) = in_words(error);
                Some(EndpointError::Certificate { endpoint, cause, fault })
            }
            rustls::Error::InvalidMessage(_) if is_first => Some(EndpointError::NoTls { endpoint }),
            error if is_first => Some(EndpointError::Tls { endpoint, cause: error.to_string() }),
            _ => None,
        }
    }

    /// [`Error::NetworkAway`], unless what closes the connection, or says what isn't HTTP, speaks something else: it is asked
    /// directly.
    pub(crate) async fn other_protocol(&self, object: String, cause: String, garbled: bool) -> Error {
        let address = self.endpoint.as_deref().and_then(Address::of);
        let found = match address {
            Some(address) if !self.answered.load(Ordering::Relaxed) => self.spoken_at(&address, garbled, &cause).await,
            _ => None,
        };
        found.map_or(Error::NetworkAway { object, cause }, Error::from)
    }

    async fn spoken_at(&self, address: &Address, garbled: bool, cause: &str) -> Option<EndpointError> {
        let endpoint = self.address();
        if !address.tls && address.speaks_tls().await {
            return Some(EndpointError::WantsTls { endpoint });
        }
        match address.greeting().await {
            Greeting::Http if address.tls => Some(EndpointError::NoTls { endpoint }),
            Greeting::Words(words) => Some(EndpointError::NotS3 { endpoint, found: format!("it says `{words}`") }),
            _ if garbled => Some(EndpointError::NotS3 { endpoint, found: cause.to_owned() }),
            _ => None,
        }
    }

    /// Scheme, host and port of the store, as far as they are known; never a login that stands before them.
    pub(crate) fn address(&self) -> String {
        match self.endpoint.as_deref() {
            Some(url) => Address::of(url).map_or_else(|| "the endpoint".to_owned(), |address| address.to_string()),
            None => self.host(),
        }
    }

    fn host(&self) -> String {
        let chosen = self.endpoint.as_deref().and_then(Address::of).map(|address| address.host);
        chosen.unwrap_or_else(|| format!("s3.{}.amazonaws.com", self.region))
    }
}

/// The kinds of a network that is away.
const AWAY: [io::ErrorKind; 7] = [
    io::ErrorKind::ConnectionRefused,
    io::ErrorKind::ConnectionReset,
    io::ErrorKind::ConnectionAborted,
    io::ErrorKind::HostUnreachable,
    io::ErrorKind::NetworkUnreachable,
    io::ErrorKind::NetworkDown,
    io::ErrorKind::TimedOut,
];
fn has_kind(error: &(dyn StdError + 'static), kinds: &[io::ErrorKind]) -> bool {
    causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|error| kinds.contains(&error.kind()))
}

fn is_timeout<E>(refused: &SdkError<E, HttpResponse>) -> bool {
    match refused {
        SdkError::TimeoutError(_) => true,
        SdkError::DispatchFailure(failure) => failure.is_timeout(),
        _ => false,
    }
}

/// What the resolver says of a name.
fn lookup(cause: &str) -> Option<&str> {
    cause.split_once(LOOKUP).map(|(_, words)| words)
}

/// What is wrong with a certificate.
fn in_words(error: &CertificateError) -> (CertificateFault, String) {
    let at = |seconds: u64| {
        let at = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        at.map_or_else(|| "another time".to_owned(), second)
    };
    let now = || second(Timestamp::now());
    match error {
        CertificateError::UnknownIssuer => {
            (CertificateFault::Issuer, "nobody whom this machine trusts has signed it".to_owned())
        }
        CertificateError::Other(other) if is_authoritys_own(other) => {
            (CertificateFault::Issuer, "it has signed itself".to_owned())
        }
        CertificateError::Expired => (CertificateFault::Time, format!("it has expired; it is {} here", now())),
        CertificateError::ExpiredContext { not_after, .. } => {
            (CertificateFault::Time, format!("it expired at {}; it is {} here", at(not_after.as_secs()), now()))
        }
        CertificateError::NotValidYet => (CertificateFault::Time, format!("it is not valid yet; it is {} here", now())),
        CertificateError::NotValidYetContext { not_before, .. } => {
            (CertificateFault::Time, format!("it is valid from {} on; it is {} here", at(not_before.as_secs()), now()))
        }
        CertificateError::NotValidForName => (CertificateFault::Name, "it is made out to another name".to_owned()),
        CertificateError::NotValidForNameContext { presented, .. } => {
            (CertificateFault::Name, format!("it is made out to {}", names(presented)))
        }
        other => (CertificateFault::Other, other.to_string()),
    }
}

/// Whether a server shows the certificate of an authority, as `openssl req -x509` makes them. The library has a kind for it that
/// only its own crate can name.
pub(crate) fn is_authoritys_own(other: &rustls::OtherError) -> bool {
    format!("{other:?}").contains("CaUsedAsEndEntity")
}

/// `DnsName("a")` is `a`.
fn names(presented: &[String]) -> String {
    let bare = |name: &String| {
        name.split_once('"').and_then(|(_, rest)| rest.split_once('"')).map(|(name, _)| name.to_owned())
    };
    let names: Vec<String> = presented.iter().map(|name| bare(name).unwrap_or_else(|| name.clone())).collect();
    if names.is_empty() { "no host name at all".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_does_not_exist_is_told_from_a_resolver_that_is_away() {
        let words = |text: &str| lookup(&format!("{LOOKUP}{text}")).map(str::to_owned);
        let is_lasting = |text: &str| !UNKNOWN_NOW.iter().any(|now| words(text).unwrap().contains(now));
        assert!(is_lasting("Name or service not known") && is_lasting("No address associated with hostname"));
        assert!(!is_lasting("Temporary failure in name resolution"));
        assert_eq!(lookup("Connection refused (os error 111)"), None);
    }

    #[test]
    fn a_certificate_is_refused_in_words() {
        for (error, fault, words) in [
            (CertificateError::UnknownIssuer, CertificateFault::Issuer, "nobody whom this machine trusts"),
            (CertificateError::Expired, CertificateFault::Time, "it has expired; it is 2"),
            (CertificateError::NotValidForName, CertificateFault::Name, "another name"),
            (CertificateError::BadSignature, CertificateFault::Other, ""),
        ] {
            let (found, said) = in_words(&error);
            assert!(found == fault && said.contains(words), "{error:?}: {said}");
        }
        assert_eq!(names(&["DnsName(\"a.example\")".to_owned(), "IpAddress(1)".to_owned()]), "a.example, IpAddress(1)");
    }
}
