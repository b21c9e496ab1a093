//! Which authorities may sign a store's certificate, where the system's aren't to be asked: those of a file.
//!
//! The SDK can take such a file as well, but then refuses what people make most: a certificate that has signed itself, as
//! `openssl req -x509` does, and that is its own authority. Where the file holds the very certificate that the store shows, it is
//! trusted, as other programs do.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_sdk_s3::config::SharedHttpClient;
use aws_sdk_s3::config::http::{HttpRequest, HttpResponse};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::http::{
    HttpConnector as SdkConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use http::Uri;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tower_service::Service;

use super::reach::is_authoritys_own;
use super::refusal::causes;
use crate::Error;

/// A client that trusts the certificates of the file `bundle` alone.
///
/// # Errors
/// [`Error::Settings`] when it can't be read or holds none.
pub(crate) fn client(bundle: &Path, connect_timeout: Duration) -> Result<SharedHttpClient, Error> {
    let unusable = |cause: String| Error::Settings {
        cause: format!("the certificates in {} (AWS_CA_BUNDLE or SSL_CERT_FILE): {cause}", bundle.display()),
    };
    let pem = std::fs::read(bundle).map_err(|error| unusable(error.to_string()))?;
    let tls = configuration(&pem).map_err(unusable)?;
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(connect_timeout));
    let way = Way { proxies: Arc::new(Matcher::from_env()), tcp };
    let client = Client::builder(TokioExecutor::new()).build(HttpsConnector::from((way, tls)));
    let connector = SharedHttpConnector::new(Connector(client));
    Ok(http_client_fn(move |_, _| connector.clone()))
}

fn configuration(pem: &[u8]) -> Result<ClientConfig, String> {
    let certificates: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    let mut roots = RootCertStore::empty();
    let (taken, _) = roots.add_parsable_certificates(certificates.iter().cloned());
    if taken == 0 {
        return Err("there is none in PEM in it".to_owned());
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = verifier(roots, certificates, &provider).map_err(|error| error.to_string())?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

fn verifier(
    roots: RootCertStore,
    certificates: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Trusting, rustls::client::VerifierBuilderError> {
    let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build()?;
    Ok(Trusting { usual, certificates })
}

/// Trusts what the usual way trusts, and besides a certificate of the file itself.
#[derive(Debug)]
struct Trusting {
    usual: Arc<WebPkiServerVerifier>,
    certificates: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.usual.verify_server_cert(shown, intermediates, name, ocsp, now) {
            // Its time was looked at before; that it is an authority's is no fault of one that is trusted itself.
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(other)))
                if is_authoritys_own(&other) && self.certificates.iter().any(|known| known == shown) =>
            {
                verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// To a host, or through the proxy that the environment names for it, as without a file of certificates.
#[derive(Clone)]
struct Way {
    proxies: Arc<Matcher>,
    tcp: HttpConnector,
}

impl Service<Uri> for Way {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, host: Uri) -> Self::Future {
        let (mut tcp, proxy) = (self.tcp.clone(), self.proxies.intercept(&host));
        Box::pin(async move {
            let Some(proxy) = proxy else { return tcp.call(host).await.map_err(BoxError::from) };
            let tunnel = Tunnel::new(proxy.uri().clone(), tcp);
            let mut tunnel = match proxy.basic_auth() {
                Some(login) => tunnel.with_auth(login.clone()),
                None => tunnel,
            };
            tunnel.call(host).await.map_err(BoxError::from)
        })
    }
}

#[derive(Debug)]
struct Connector(Client<HttpsConnector<Way>, SdkBody>);

impl SdkConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let answer = self.0.request(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await.map_err(kind)?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// The SDK's own kinds. After a handshake only the connection itself fails.
fn kind(error: hyper_util::client::legacy::Error) -> ConnectorError {
    let timed_out = |error: &std::io::Error| error.kind() == std::io::ErrorKind::TimedOut;
    if causes(&error).filter_map(|cause| cause.downcast_ref()).any(timed_out) {
        ConnectorError::timeout(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_holds_no_certificate_is_a_setting_to_mend() {
        let folder = tempfile::tempdir().unwrap();
        for content in [None, Some(""), Some("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")] {
            let file = folder.path().join("ca.pem");
            content.iter().for_each(|content| std::fs::write(&file, content).unwrap());
            let error = client(&file, Duration::from_secs(1)).unwrap_err();
            assert!(error.to_string().contains("ca.pem (AWS_CA_BUNDLE or SSL_CERT_FILE): "), "{error}");
        }
    }
}
