//! The profiles of `~/.aws`, and the keys of those that have some.

use std::collections::BTreeMap;
use std::path::Path;

/// One profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::commands::init) struct Profile {
    pub(in crate::commands::init) name: String,
    pub(in crate::commands::init) region: Option<String>,
    /// Key and secret, where it is made of these: another user can be given them.
    pub(in crate::commands::init) keys: Option<(String, String)>,
}

/// The profiles of both files.
pub(super) fn read(home: &Path) -> Vec<Profile> {
    let text = |name: &str| std::fs::read_to_string(home.join(".aws").join(name)).unwrap_or_default();
    of(&text("credentials"), &text("config"))
}

fn of(credentials: &str, config: &str) -> Vec<Profile> {
    let mut all: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (text, is_config) in [(config, true), (credentials, false)] {
        let mut section = None;
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
            if let Some(head) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                let head = head.trim();
                let named = head.strip_prefix("profile ").map(str::trim);
                section = if is_config && head != "default" { named } else { Some(head) };
                section.map(|name| all.entry(name.to_owned()).or_default());
            } else if let Some(((name, value), section)) = line.split_once('=').zip(section)
                && let Some(values) = all.get_mut(section)
            {
                values.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }
    let profile = |(name, mut values): (String, BTreeMap<String, String>)| {
        let is_temporary = values.contains_key("aws_session_token");
        let keys = values.remove("aws_access_key_id").zip(values.remove("aws_secret_access_key"));
        Profile { name, region: values.remove("region"), keys: keys.filter(|_| !is_temporary) }
    };
    all.into_iter().map(profile).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_files_make_one_profile() {
        let credentials = "[default]\naws_access_key_id = AKIA1\naws_secret_access_key=s/e+c=\n[mfa]\naws_access_key_id=a\n\
                           aws_secret_access_key=b\naws_session_token=t\n";
        let config =
            "[default]\nregion = eu-west-1\n# no\n[profile sso]\nsso_session = x\nregion=us-east-1\n[sso-session x]\n";
        let found = of(credentials, config);
        let named: Vec<_> = found.iter().map(|p| (p.name.as_str(), p.region.as_deref(), p.keys.is_some())).collect();
        assert_eq!(
            named,
            [("default", Some("eu-west-1"), true), ("mfa", None, false), ("sso", Some("us-east-1"), false)]
        );
        assert_eq!(found[0].keys, Some(("AKIA1".to_owned(), "s/e+c=".to_owned())));
    }
}
