//! Credentials that are fetched again where the store says that they have expired. The SDK renews what has said when it ends; a
//! program's or a profile's may have said nothing, and somebody may have renewed a profile's since it was read.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use aws_config::identity::IdentityCache;
use aws_sdk_s3::config::{ConfigBag, RuntimeComponents, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::identity::{
    IdentityFuture, ResolveCachedIdentity, SharedIdentityCache, SharedIdentityResolver,
};
use tokio::sync::Mutex;

/// What was fetched a moment ago and is refused isn't fetched again.
const FRESH: Duration = Duration::from_secs(60);

/// The SDK's cache of credentials, which can be emptied. Clones share it.
#[derive(Clone)]
pub(crate) struct Renewable(Arc<Shared>);

struct Shared {
    current: RwLock<Current>,
    /// When it was emptied. Held while it is: who comes meanwhile waits.
    renewed: Mutex<Option<Instant>>,
}

struct Current {
    cache: SharedIdentityCache,
    /// Where they come from, after the first renewal: a profile was read again.
    resolver: Option<SharedIdentityResolver>,
}

impl fmt::Debug for Renewable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewable").finish_non_exhaustive()
    }
}

impl Renewable {
    pub(crate) fn new() -> Self {
        let current = Current { cache: IdentityCache::lazy().build(), resolver: None };
        Self(Arc::new(Shared { current: RwLock::new(current), renewed: Mutex::default() }))
    }

    /// Forgets the credentials that a request was refused with which was sent at this time; true where the next one has others to
    /// try, also because somebody else did so since. `load` reads where they come from.
    pub(crate) async fn renew<F>(&self, sent: Instant, load: impl FnOnce() -> F) -> bool
    where
        F: Future<Output = Option<SharedCredentialsProvider>>,
    {
        let mut renewed = self.0.renewed.lock().await;
        match *renewed {
            Some(at) if at > sent => return true,
            Some(at) if at.elapsed() < FRESH => return false,
            _ => {}
        }
        let resolver = load().await.map(SharedIdentityResolver::new);
        if let Ok(mut current) = self.0.current.write() {
            *current = Current { cache: IdentityCache::lazy().build(), resolver };
        }
        *renewed = Some(Instant::now());
        true
    }
}

impl ResolveCachedIdentity for Renewable {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        runtime_components: &'a RuntimeComponents,
        config_bag: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        let (cache, resolver) = {
            let current = self.0.current.read().unwrap_or_else(PoisonError::into_inner);
            (current.cache.clone(), current.resolver.clone().unwrap_or(resolver))
        };
        IdentityFuture::new(
            async move { cache.resolve_cached_identity(resolver, runtime_components, config_bag).await },
        )
    }
}
