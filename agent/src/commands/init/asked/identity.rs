//! Who stores in the bucket: keys, a profile, or the machine's own role.

use super::Asker;
use crate::answers::failure::{Exit, Failure};
use crate::answers::prompt;
use crate::commands::init::found::profiles::Profile;
use crate::commands::init::offer::Lines;

impl Asker<'_> {
    /// The lines of an identity; none where the machine's role, or what the SDK finds by itself, is meant.
    ///
    /// # Errors
    /// Exit 2 for a profile that is not there, or that who backs up cannot use.
    pub(super) fn identity(&self) -> Result<Lines, Failure> {
        if let Some(name) = self.asked_profile() {
            return self.by_profile(&name);
        }
        for prefix in ["BACKUP_AWS", "AWS"] {
            let [key, secret, token] = ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"]
                .map(|name| self.set(&format!("{prefix}_{name}")));
            // Those with a token end within hours.
            if let (Some((key, secret)), None) = (key.zip(secret), token) {
                return Ok(keys(key, secret));
            }
        }
        let default = self.found.profiles.iter().find(|profile| profile.name == "default");
        if !self.may_ask() {
            let default = default.filter(|_| self.machine.is_handed_over()).and_then(|default| default.keys.clone());
            return Ok(default.map_or_else(Lines::new, |(key, secret)| keys(key, secret)));
        }
        let proposed = default.or(self.found.profiles.first()).map_or("none", |profile| &profile.name);
        let answer = prompt::line(
            "A profile of ~/.aws, an access key ID, or none for this machine's own role",
            proposed,
            self.interrupt,
        )?;
        match answer.as_str() {
            "none" => Ok(Lines::new()),
            name if self.found.profiles.iter().any(|profile| profile.name == name) => self.by_profile(name),
            key => Ok(keys(key.to_owned(), prompt::hidden("Its secret access key", self.interrupt)?)),
        }
    }

    /// The region of the profile that would be taken.
    pub(super) fn region(&self) -> Option<String> {
        let name = self.asked_profile().unwrap_or_else(|| "default".to_owned());
        self.found.profiles.iter().find(|profile| profile.name == name)?.region.clone()
    }

    fn asked_profile(&self) -> Option<String> {
        let flag = self.given.flags.iter().find(|(setting, _, _)| *setting == "AWS_PROFILE");
        flag.map(|(_, _, name)| name.clone())
    }

    fn by_profile(&self, name: &str) -> Result<Lines, Failure> {
        let known = self.found.profiles.iter().find(|profile| profile.name == name);
        let Some(profile) = known else {
            let folder = self.machine.own.home.join(".aws");
            let error = format!("there is no profile {name} in {}", folder.display());
            return Err(Failure::new(Exit::Usage, error).hint("aws configure list-profiles shows those that there are"));
        };
        match profile {
            _ if !self.machine.is_handed_over() => Ok(vec![("AWS_PROFILE".to_owned(), name.to_owned())]),
            Profile { keys: Some((key, secret)), .. } => Ok(keys(key.clone(), secret.clone())),
            Profile { keys: None, .. } => {
                let nightly = &self.machine.nightly.name;
                let error = format!("the profile {name} has no lasting keys that could be given to the user {nightly}");
                Err(Failure::new(Exit::Usage, error)
                    .hint("name a profile with keys, set BACKUP_AWS_ACCESS_KEY_ID and BACKUP_AWS_SECRET_ACCESS_KEY, or use the machine's role"))
            }
        }
    }
}

fn keys(key: String, secret: String) -> Lines {
    vec![("BACKUP_AWS_ACCESS_KEY_ID".to_owned(), key), ("BACKUP_AWS_SECRET_ACCESS_KEY".to_owned(), secret)]
}
