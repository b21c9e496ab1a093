//! The freshness function: measures the age of each database's newest good backup.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use lambdas::freshness::Measuring;
use lambdas::{Cloud, Deadline, Environment, Settings};
use serde_json::Value;

// One thread: below 1,769 MB a function has no whole core, and more threads only keep more freed memory.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambdas::logging::start();
    let environment = Environment::of_process();
    let cloud = Box::pin(Cloud::connect(Settings::read(&environment)?)).await?;
    let freshness = &Measuring::new(cloud, &environment)?;
    let invoke = |event: LambdaEvent<Value>| async move {
        Box::pin(freshness.run(&event.payload, Deadline::of(&event.context))).await
    };
    lambda_runtime::run(service_fn(invoke)).await
}
