//! AWS's list prices in US dollars, and its permanent free allowance per account and month. This file is the only place that
//! knows them.
//!
//! Looked up on [`LOOKED_UP`] for [`REGION`]; other regions are some percent dearer or cheaper. To check a price, open its
//! page. The first tier of each: from 50 TB on, S3 is a little cheaper.

use catalog::glacier::{ColdClass, Retrieval};

/// When the prices were last compared with AWS's pages.
pub(crate) const LOOKED_UP: &str = "2026-11-22";
/// The region of the prices: US East (N. Virginia).
pub(crate) const REGION: &str = "us-east-1";

const S3: &str = "https://aws.amazon.com/s3/pricing/";
const LAMBDA: &str = "https://aws.amazon.com/lambda/pricing/";
const CLOUDWATCH: &str = "https://aws.amazon.com/cloudwatch/pricing/";
const EVENTBRIDGE: &str = "https://aws.amazon.com/eventbridge/pricing/";
const SNS: &str = "https://aws.amazon.com/sns/pricing/";
const SQS: &str = "https://aws.amazon.com/sqs/pricing/";

/// Bytes in S3 Standard up to which its price applies.
pub(crate) const FIRST_TIER: f64 = 50.0 * 1_099_511_627_776.0;
/// What Glacier Flexible Retrieval adds to every object: 32 KB of index at its own price.
pub(crate) const GLACIER_INDEX: f64 = 32.0 * 1024.0;
/// What Glacier Flexible Retrieval adds besides: 8 KB of name and metadata at S3 Standard's price.
pub(crate) const GLACIER_NAME: f64 = 8.0 * 1024.0;
/// Days that Glacier Flexible Retrieval bills for an object at least, even if it is deleted earlier.
pub(crate) const GLACIER_MINIMUM_DAYS: f64 = 90.0;

/// What bringing an object of so many bytes back from an archive storage class costs: dollars for the retrieval, and for keeping
/// the copy in S3 Standard for so many days. From Intelligent-Tiering there is no copy, and only haste is billed.
pub(crate) fn bringing_back(class: ColdClass, retrieval: Retrieval, bytes: u64, days: u16) -> (f64, f64) {
    let gigabytes = bytes as f64 / (1u64 << 30) as f64;
    // Dollars for a GB, and for a thousand requests.
    let (per_gb, per_thousand) = match (class, retrieval) {
        (ColdClass::FlexibleRetrieval, Retrieval::Standard) => {
            (Meter::Retrieval.price().dollars, Meter::RetrievalRequest.price().dollars)
        }
        (_, Retrieval::Expedited) => (0.03, 10.0),
        (ColdClass::DeepArchive, Retrieval::Standard) => (0.02, 0.10),
        (ColdClass::DeepArchive, Retrieval::Bulk) => (0.0025, 0.025),
        (_, Retrieval::Standard | Retrieval::Bulk) => (0.0, 0.0),
    };
    let months = if class.makes_a_copy() { f64::from(days) / 30.0 } else { 0.0 };
    (gigabytes * per_gb + per_thousand / 1e3, gigabytes * Meter::Standard.price().dollars * months)
}

/// Something that AWS counts and bills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Meter {
    Standard,
    Glacier,
    /// PUT, COPY, POST and LIST, the parts of an upload among them.
    Put,
    /// GET, HEAD and all others; deleting is free.
    Get,
    /// Lifecycle transitions into Glacier Flexible Retrieval.
    Move,
    /// From S3 to the internet. Uploads, and functions of the same region, pay nothing.
    Egress,
    /// Bringing bytes back from Glacier within 3 to 5 hours. Bulk, 5 to 12 hours, is free.
    Retrieval,
    RetrievalRequest,
    /// GB-seconds of functions built for x86-64.
    Compute,
    ComputeArm,
    Invocation,
    Metric,
    MetricRequest,
    Alarm,
    CompositeAlarm,
    Dashboard,
    /// Logs, ingested and kept for a month.
    Log,
    Mail,
    /// S3's events on EventBridge: data events, which a bucket opts in to, and so not free as other AWS events are.
    Event,
    Schedule,
    /// Requests to a standard queue: of a function that looks whether something came, above all.
    QueueRequest,
}

/// The price of a meter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Price {
    /// US dollars for [`Price::per`] units.
    pub(crate) dollars: f64,
    pub(crate) per: f64,
    /// Units that every account has free each month, permanently.
    pub(crate) free: f64,
    /// What one unit is called.
    pub(crate) unit: &'static str,
    /// AWS's page with this price.
    pub(crate) page: &'static str,
}

impl Meter {
    /// Every meter there is.
    pub(crate) const ALL: [Self; 21] = [
        Self::Standard,
        Self::Glacier,
        Self::Put,
        Self::Get,
        Self::Move,
        Self::Egress,
        Self::Retrieval,
        Self::RetrievalRequest,
        Self::Compute,
        Self::ComputeArm,
        Self::Invocation,
        Self::Metric,
        Self::MetricRequest,
        Self::Alarm,
        Self::CompositeAlarm,
        Self::Dashboard,
        Self::Log,
        Self::Mail,
        Self::Event,
        Self::Schedule,
        Self::QueueRequest,
    ];

    /// The table of prices. S3's GB are 2³⁰ bytes, and so are Lambda's.
    pub(crate) const fn price(self) -> Price {
        match self {
            Self::Standard => price(0.023, 1.0, 0.0, "GB-month in S3 Standard", S3),
            Self::Glacier => price(0.0036, 1.0, 0.0, "GB-month in Glacier Flexible Retrieval", S3),
            Self::Put => price(0.005, 1e3, 0.0, "PUT or LIST request", S3),
            Self::Get => price(0.0004, 1e3, 0.0, "GET or HEAD request", S3),
            Self::Move => price(0.03, 1e3, 0.0, "transition into Glacier", S3),
            Self::Egress => price(0.09, 1.0, 100.0, "GB to the internet", S3),
            Self::Retrieval => price(0.01, 1.0, 0.0, "GB brought back from Glacier", S3),
            Self::RetrievalRequest => price(0.05, 1e3, 0.0, "retrieval request", S3),
            Self::Compute => price(0.000_016_666_7, 1.0, 400_000.0, "GB-second of a function (x86-64)", LAMBDA),
            Self::ComputeArm => price(0.000_013_333_4, 1.0, 400_000.0, "GB-second of a function (arm64)", LAMBDA),
            Self::Invocation => price(0.20, 1e6, 1e6, "run of a function", LAMBDA),
            Self::Metric => price(0.30, 1.0, 10.0, "custom metric", CLOUDWATCH),
            Self::MetricRequest => price(0.01, 1e3, 1e6, "PutMetricData request", CLOUDWATCH),
            Self::Alarm => price(0.10, 1.0, 10.0, "alarm", CLOUDWATCH),
            Self::CompositeAlarm => price(0.50, 1.0, 0.0, "composite alarm", CLOUDWATCH),
            Self::Dashboard => price(3.00, 1.0, 3.0, "dashboard", CLOUDWATCH),
            Self::Log => price(0.50 + 0.03, 1.0, 5.0, "GB of logs", CLOUDWATCH),
            Self::Mail => price(2.00, 1e5, 1e3, "e-mail", SNS),
            Self::Event => price(1.00, 1e6, 0.0, "event of the bucket", EVENTBRIDGE),
            Self::Schedule => price(1.00, 1e6, 14e6, "scheduled start", EVENTBRIDGE),
            Self::QueueRequest => price(0.40, 1e6, 1e6, "request to a queue", SQS),
        }
    }
}

const fn price(dollars: f64, per: f64, free: f64, unit: &'static str, page: &'static str) -> Price {
    Price { dollars, per, free, unit, page }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bringing_back_is_priced_by_class_and_haste() {
        let cost = |class, retrieval| {
            let (retrieval, copy) = bringing_back(class, retrieval, 100 << 30, 7);
            format!("{retrieval:.4} {copy:.4}")
        };
        assert_eq!(cost(ColdClass::FlexibleRetrieval, Retrieval::Standard), "1.0001 0.5367");
        assert_eq!(cost(ColdClass::FlexibleRetrieval, Retrieval::Bulk), "0.0000 0.5367");
        assert_eq!(cost(ColdClass::FlexibleRetrieval, Retrieval::Expedited), "3.0100 0.5367");
        assert_eq!(cost(ColdClass::DeepArchive, Retrieval::Standard), "2.0001 0.5367");
        assert_eq!(cost(ColdClass::DeepArchive, Retrieval::Bulk), "0.2500 0.5367");
        for class in [ColdClass::ArchiveAccess, ColdClass::DeepArchiveAccess] {
            assert_eq!(cost(class, Retrieval::Standard), "0.0000 0.0000");
            assert_eq!(cost(class, Retrieval::Bulk), "0.0000 0.0000");
        }
        assert_eq!(cost(ColdClass::ArchiveAccess, Retrieval::Expedited), "3.0100 0.0000");
    }
}
