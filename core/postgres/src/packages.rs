//! Which package has a version of PostgreSQL's client programs on this machine, and where it comes from.

/// How to install the client programs: of this major version, or of any.
pub(crate) fn install(major: Option<&str>) -> String {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    install_on(&release, major)
}

/// The same on a system that describes itself so (os-release(5)).
fn install_on(release: &str, major: Option<&str>) -> String {
    let systems = systems(release);
    let is = |names: &[&str]| systems.iter().any(|system| names.contains(&system.as_str()));
    let Some(major) = major else {
        return match () {
            () if is(&["alpine"]) => "apk add postgresql-client".to_owned(),
            () if is(&["fedora", "rhel", "centos"]) => "dnf install postgresql".to_owned(),
            () if cfg!(target_os = "macos") => "brew install libpq".to_owned(),
            () => "apt-get install postgresql-client".to_owned(),
        };
    };
    match () {
        () if is(&["alpine"]) => {
            format!("apk add postgresql{major}-client (an Alpine release that lacks it: the next one)")
        }
        () if is(&["fedora", "rhel", "centos"]) => {
            let kind = if is(&["rhel", "centos"]) { "EL" } else { "F" };
            let version = field(release, "VERSION_ID").unwrap_or_default();
            let version = version.split('.').next().unwrap_or_default();
            format!(
                "dnf install postgresql{major}, from PostgreSQL's own repository: dnf install \
                 https://download.postgresql.org/pub/repos/yum/reporpms/{kind}-{version}-x86_64/pgdg-{}-repo-latest.noarch.rpm",
                if kind == "EL" { "redhat" } else { "fedora" }
            )
        }
        () if is(&["debian", "ubuntu"]) => format!(
            "apt-get install postgresql-client-{major}; where the distribution lacks it, from PostgreSQL's own repository: \
             apt-get install postgresql-common && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y"
        ),
        () if cfg!(target_os = "macos") => format!("brew install postgresql@{major}"),
        () => format!(
            "apt-get install postgresql-client-{major}, or your system's package: https://www.postgresql.org/download/"
        ),
    }
}

/// What it is, and what it is like.
fn systems(release: &str) -> Vec<String> {
    let fields = ["ID", "ID_LIKE"].into_iter().filter_map(|name| field(release, name));
    fields.flat_map(|value| value.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn field(release: &str, name: &str) -> Option<String> {
    let value = release.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
    Some(value.trim().trim_matches(['"', '\'']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_gets_its_own_command() {
        let systems = [
            ("ID=debian\nVERSION_ID=\"12\"\n", "apt-get install postgresql-client-18; where the distribution lacks it"),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", "apt.postgresql.org.sh -y"),
            (
                "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.4\"\n",
                "reporpms/EL-9-x86_64/pgdg-redhat-repo",
            ),
            ("ID=fedora\nVERSION_ID=43\n", "reporpms/F-43-x86_64/pgdg-fedora-repo"),
            ("ID=alpine\nVERSION_ID=3.20.1\n", "apk add postgresql18-client"),
            ("", "https://www.postgresql.org/download/"),
        ];
        for (release, expected) in systems {
            let said = install_on(release, Some("18"));
            assert!(said.contains(expected), "{release:?}: {said}");
        }
        assert_eq!(install_on("ID=debian\n", None), "apt-get install postgresql-client");
        assert_eq!(install_on("ID=alpine\n", None), "apk add postgresql-client");
    }
}
