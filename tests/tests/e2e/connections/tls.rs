//! A server with TLS in front of another one, and certificates for it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use e2e::bucket::wait;
use e2e::process::output;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// A certificate and its key, in files.
pub(crate) struct Certificate {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Certificate {
    /// One that has signed itself, as people make them: for `name`, with more arguments of `openssl req`.
    pub(crate) fn of_its_own(folder: &Path, file: &str, name: &str, more: &[&str]) -> Certificate {
        let (certificate, key) = (folder.join(format!("{file}.pem")), folder.join(format!("{file}.key")));
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=lastgood-tests", "-out"]);
        openssl
            .arg(&certificate)
            .arg("-keyout")
            .arg(&key)
            .args(["-addext", &format!("subjectAltName=DNS:{name}")])
            .args(more);
        let output = output(&mut openssl);
        assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
        Certificate { certificate, key }
    }

    /// One that expired a day ago.
    pub(super) fn expired(folder: &Path, file: &str, name: &str) -> Certificate {
        let Certificate { certificate, key } = Self::of_its_own(folder, file, name, &["-days", "2"]);
        let (request, old) = (folder.join("request"), folder.join(format!("{file}.old.pem")));
        let run = |arguments: &[&str], files: &[&Path]| {
            let mut openssl = Command::new("openssl");
            openssl.args(arguments);
            for (flag, file) in ["-in", "-signkey", "-out"].iter().zip(files) {
                openssl.arg(flag).arg(file);
            }
            let output = output(&mut openssl);
            assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
        };
        run(&["x509", "-x509toreq", "-copy_extensions", "copyall"], &[&certificate, &key, &request]);
        run(&["x509", "-req", "-days", "-1", "-copy_extensions", "copyall"], &[&request, &key, &old]);
        Certificate { certificate: old, key }
    }

    /// The port of a server that shows it, and hands on what it hears to `server`. It lives as long as the test binary.
    pub(super) fn serve(&self, server: &str) -> u16 {
        let chain = CertificateDer::pem_file_iter(&self.certificate).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_file(&self.key).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let settings = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let settings = Arc::new(settings.with_no_client_auth().with_single_cert(chain, key).unwrap());
        let listener = wait(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = server.to_owned();
        std::thread::spawn(move || {
            wait(async move {
                loop {
                    let (connection, _) = listener.accept().await.unwrap();
                    let (acceptor, server) = (tokio_rustls::TlsAcceptor::from(Arc::clone(&settings)), server.clone());
                    tokio::spawn(async move {
                        let Ok(mut inside) = acceptor.accept(connection).await else { return };
                        let mut behind = TcpStream::connect(server).await.unwrap();
                        let _ = copy_bidirectional(&mut inside, &mut behind).await;
                    });
                }
            });
        });
        port
    }
}
