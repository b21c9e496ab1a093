//! The verify function: reads a backup's stored bytes back and writes its verdict.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use lambdas::verify::Verify;
use lambdas::{Cloud, Deadline, Environment, Settings};
use serde_json::Value;

// One thread: below 1,769 MB a function has no whole core, and more threads only keep more freed memory.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambdas::logging::start();
    let environment = Environment::of_process();
    let cloud = Box::pin(Cloud::connect(Settings::read(&environment)?)).await?;
    let verify = &Verify::new(cloud, &environment)?;
    let invoke = |event: LambdaEvent<Value>| async move {
        Box::pin(verify.run(&event.payload, Deadline::of(&event.context))).await
    };
    lambda_runtime::run(service_fn(invoke)).await
}
