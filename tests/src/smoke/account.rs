//! The account that it happens in, known by its environment alone.

use serde_json::{Value, json};

use crate::aws::{cli, try_ask_all};
use crate::bucket::Access;

/// An account, and the administrator in it.
pub struct Account {
    environment: Vec<(String, String)>,
    number: String,
    administrator: String,
    region: String,
}

impl Account {
    /// The local AWS.
    pub fn local(root: &Access) -> Account {
        let environment = root.environment().map(|(name, value)| (name.to_owned(), value));
        Self::known(environment.into(), "/usr/bin:/bin").unwrap_or_else(|error| panic!("{error}"))
    }

    /// Whatever the AWS CLI would take from this process's environment.
    ///
    /// # Errors
    /// When it names no region, or its credentials don't work.
    pub fn of_process() -> Result<Account, String> {
        let kept = |name: &str| name.starts_with("AWS_") || name == "HOME" || name.ends_with("_proxy");
        let environment = std::env::vars().filter(|(name, _)| kept(name)).collect();
        Self::known(environment, &std::env::var("PATH").unwrap_or_default())
    }

    fn known(mut environment: Vec<(String, String)>, path: &str) -> Result<Account, String> {
        let value = |wanted: &str| environment.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        let region = value("AWS_REGION").or_else(|| value("AWS_DEFAULT_REGION"));
        let region = region.ok_or("no region is set: export AWS_REGION")?;
        environment.retain(|(name, _)| name != "AWS_DEFAULT_REGION");
        environment.push(("AWS_DEFAULT_REGION".to_owned(), region.clone()));
        environment.push(("AWS_PAGER".to_owned(), String::new()));
        environment.push(("PATH".to_owned(), format!("{}:{path}", cli::folder().display())));
        let account = Account { environment, number: String::new(), administrator: String::new(), region };
        let identity = account.ask("sts", "GetCallerIdentity", json!({}))?;
        let text = |field: &str| identity[field].as_str().unwrap_or_default().to_owned();
        Ok(Account { number: text("Account"), administrator: of_caller(&text("Arn")), ..account })
    }

    /// Its twelve digits.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The caller, as a policy names it.
    pub fn administrator(&self) -> &str {
        &self.administrator
    }

    /// Where everything lies.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// What every program gets.
    pub fn environment(&self) -> Vec<(String, String)> {
        self.environment.clone()
    }

    /// What another identity in the same account needs: all but this one's keys.
    pub fn place(&self) -> Vec<(String, String)> {
        let place = ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"];
        self.environment.iter().filter(|(name, _)| place.contains(&name.as_str())).cloned().collect()
    }

    /// One question as the administrator.
    ///
    /// # Errors
    /// What AWS said.
    pub fn ask(&self, service: &str, operation: &str, parameters: Value) -> Result<Value, String> {
        try_ask_all(self.environment(), &[(service, operation, parameters)]).map(|mut answers| answers.remove(0))
    }
}

/// An assumed role's session is not what policies name: its role is, at a path that the session doesn't tell.
fn of_caller(arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match (parts.as_slice(), arn.split('/').nth(1)) {
        ([_, partition, "sts", _, number, what], Some(role)) if what.starts_with("assumed-role/") => {
            format!("arn:{partition}:iam::{number}:role/*{role}")
        }
        _ => arn.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::of_caller;

    #[test]
    fn a_session_is_named_by_its_role() {
        let session = "arn:aws-us-gov:sts::111122223333:assumed-role/AWSReservedSSO_Admin_1f/me@example.org";
        assert_eq!(of_caller(session), "arn:aws-us-gov:iam::111122223333:role/*AWSReservedSSO_Admin_1f");
        for named in ["arn:aws:iam::111122223333:user/me", "arn:aws:iam::111122223333:root"] {
            assert_eq!(of_caller(named), named);
        }
    }
}
