//! Settings become a client: credentials, region, endpoint, and the SDK's own defaults where they don't fit backups.

use std::sync::Arc;
use std::time::Instant;

use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::{ProvideRegion as _, RegionProviderChain};
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{
    AppName, Builder, Credentials, RequestChecksumCalculation, ResponseChecksumValidation, SharedCredentialsProvider,
    StalledStreamProtectionConfig,
};
use catalog::Layout;

use super::credentials::Renewable;
use super::owner::ExpectedOwner;
use super::whole::WholeAnswers;
use crate::{Bucket, BucketSettings, Error, Keys, Secret};

const DEFAULT_REGION: &str = "us-east-1";

impl Bucket {
    /// Makes ready to talk; nothing is sent yet.
    ///
    /// # Errors
    /// Settings that the SDK refuses.
    pub async fn connect(settings: BucketSettings) -> Result<Self, Error> {
        let region = region(&settings).await;
        let shared = shared_config(&settings, region.clone()).await?;
        let configured = shared.endpoint_url().filter(|_| !settings.beside || settings.profile.is_some());
        let endpoint = settings.endpoint.clone().or_else(|| configured.map(str::to_owned));
        let mut anyone = Builder::from(&shared);
        // Keys of the settings stay what they are.
        let renewable = settings.keys.is_none().then(Renewable::new);
        if let Some(renewable) = &renewable {
            anyone = anyone.identity_cache(renewable.clone());
        }
        if settings.beside && endpoint.is_none() {
            anyone = anyone.set_endpoint_url(None).to_owned();
        }
        let anyone = anyone
            .force_path_style(settings.path_style.unwrap_or(endpoint.is_some()))
            // We send one checksum of our own choice and hash what we read: no second one beside them.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .interceptor(WholeAnswers);
        let owner = settings.owner.clone().map(ExpectedOwner);
        let expecting = owner.map(|owner| anyone.clone().interceptor(owner).build());
        let anyone = Client::from_conf(anyone.build());
        let (client, anyone) = match expecting {
            Some(config) => (Client::from_conf(config), Some(anyone)),
            None => (anyone, None),
        };
        Ok(Self {
            client,
            anyone,
            renewable,
            layout: Arc::new(layout(&settings)),
            region: region.to_string().into(),
            unsigned_payload: endpoint.as_deref().is_none_or(protects_bodies),
            endpoint: endpoint.map(Into::into),
            answered: Arc::default(),
            served: Arc::default(),
            patience: settings.retry.clone().into(),
            settings: Arc::new(settings),
        })
    }
}

impl Bucket {
    /// Fetches credentials again, after a request that was sent at this time was refused because its own had expired; true where that
    /// is worth another try.
    pub(crate) async fn renew_credentials(&self, sent: Instant) -> bool {
        let Some(renewable) = &self.renewable else { return false };
        let region = Region::new(self.region.to_string());
        let load = async || shared_config(&self.settings, region).await.ok()?.credentials_provider();
        renewable.renew(sent, load).await
    }
}

fn layout(settings: &BucketSettings) -> Layout {
    let layout = Layout::bucket(&settings.prefix);
    match &settings.verdicts_of {
        Some(account) => layout.vault_of(account),
        None => layout,
    }
}

async fn region(settings: &BucketSettings) -> Region {
    if let Some(region) = &settings.region {
        return Region::new(region.clone());
    }
    let profile = match &settings.profile {
        Some(name) => ProfileFileRegionProvider::builder().profile_name(name).build(),
        None => ProfileFileRegionProvider::new(),
    };
    if settings.beside {
        let named = if settings.profile.is_some() { profile.region().await } else { None };
        return named.unwrap_or(Region::from_static(DEFAULT_REGION));
    }
    // Not the SDK's own chain: it asks EC2's metadata last, and off EC2 waits for it.
    RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(profile)
        .or_else(DEFAULT_REGION)
        .region()
        .await
        .unwrap_or(Region::from_static(DEFAULT_REGION))
}

async fn shared_config(settings: &BucketSettings, region: Region) -> Result<aws_config::SdkConfig, Error> {
    let app_name = AppName::new("lastgood").map_err(|error| Error::Settings { cause: error.to_string() })?;
    let timeouts = TimeoutConfig::builder().connect_timeout(settings.connect_timeout).build();
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(region)
        .app_name(app_name)
        // Requests are tried again by `Retry`, deadlines are set by `Bucket::once`: per request, by its size.
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .stalled_stream_protection(
            StalledStreamProtectionConfig::enabled().grace_period(settings.stall_timeout).build(),
        );
    let is_plain = settings.endpoint.as_deref().is_some_and(|url| url.starts_with("http://"));
    if let Some(bundle) = settings.ca_bundle.as_deref().filter(|_| !is_plain) {
        loader = loader.http_client(super::trust::client(bundle, settings.connect_timeout)?);
    }
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(keys) = &settings.keys {
        loader = loader.credentials_provider(explicit(keys));
    } else if let Some(name) = &settings.profile {
        let provider = ProfileFileCredentialsProvider::builder().profile_name(name).build();
        loader = loader.profile_name(name).credentials_provider(SharedCredentialsProvider::new(provider));
    }
    Ok(loader.load().await)
}

fn explicit(keys: &Keys) -> Credentials {
    let token = keys.token.as_ref().map(|token| token.reveal().to_owned());
    Credentials::new(&keys.id, Secret::reveal(&keys.secret), token, None, "settings")
}

/// TLS protects a body from malice, and on the loopback nothing is in between; elsewhere the signature has to.
fn protects_bodies(endpoint: &str) -> bool {
    let loopback = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    endpoint.starts_with("https://")
        || loopback.iter().any(|prefix| {
            endpoint.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
        })
}

#[cfg(test)]
mod tests {
    use super::protects_bodies;

    #[test]
    fn bodies_over_plain_http_are_signed_unless_on_the_loopback() {
        assert!(protects_bodies("https://s3.example"));
        assert!(protects_bodies("http://127.0.0.1:8333"));
        assert!(!protects_bodies("http://s3.example"));
        assert!(!protects_bodies("http://localhost.evil.example"));
        assert!(!protects_bodies("http://127.0.0.11:80"));
    }
}
