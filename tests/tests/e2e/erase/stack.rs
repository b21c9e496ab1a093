//! In a deployed stack: by an identity of its own, judged by the function, and missed by nobody.

use e2e::bounds::wait_until;
use e2e::bucket::Bucket;
use e2e::functions;
use e2e::ministack::{Ministack, Rights};
use e2e::stack::Stack;
use serde_json::{Value, json};

use super::{Scene, knows};

#[test]
fn an_eraser_is_named_or_may_not_and_what_it_did_is_no_loss() {
    let ministack = Ministack::start(Rights::Enforced);
    let stack = Stack::new(&ministack, "forgets").functions(functions::folder());
    stack.deploy(&["EraserArns=arn:aws:iam::000000000000:user/eraser", "MinimumGood=1"]);
    let bucket = Bucket::existing(&ministack.root(), &stack.bucket());
    let scene = Scene::new("forgotten").with(|agent| {
        let agent = agent.bucket(bucket.name(), &stack.user("backs-up", "AgentPolicyArn"));
        agent.setting("BACKUP_VERIFY", "none").setting("BACKUP_S3_PREFIX", "backups")
    });
    scene.agent.run(&["backup"]).succeeds();
    let ending = |ending: &str| bucket.keys().into_iter().filter(|key| key.ends_with(ending)).collect::<Vec<_>>();
    wait_until("the function judges it", || ending(".intact.json").len() == 1);
    let invoke = |name: &str, payload: Value| {
        let asked = json!({"FunctionName": stack.resource(name), "Payload": payload.to_string()});
        assert_eq!(stack.ask("lambda", "Invoke", asked)["FunctionError"], Value::Null, "{name}");
    };
    invoke("Retention", json!({"action": "prune"}));
    invoke("Freshness", json!({"action": "measure"}));

    // Nobody else may, whatever their own rights.
    let operator = stack.user("operates", "OperatorPolicyArn");
    let scene = scene.with(|agent| agent.bucket(bucket.name(), &operator));
    scene.erase(&["--all"]).exits(1).mentions("s3:ListBucketVersions");
    assert_eq!(ending("_erased_1.sql.gz").len(), 0);
    let other = stack.user("not-named", "EraserPolicyArn");
    let scene = scene.with(|agent| agent.bucket(bucket.name(), &other));
    scene.erase(&["--all"]).exits(1).mentions("s3:PutObject");

    let eraser = stack.user("eraser", "EraserPolicyArn");
    let scene = scene.with(|agent| agent.bucket(bucket.name(), &eraser));
    scene.erase(&["--all"]).succeeds().mentions("ERASED").mentions("1 backup erased from");
    assert_eq!((ending(".manifest.json").len(), ending("_erased_1.intact.json").len()), (1, 1));
    for version in bucket.versions() {
        let get = bucket.client().get_object().bucket(bucket.name()).key(&version.key);
        let get = get.set_version_id(version.version.clone()).send();
        let bytes = e2e::bucket::wait(async { get.await.unwrap().body.collect().await.unwrap().into_bytes() });
        assert!(!knows(&bytes, None), "{} knows them", version.key);
    }
    scene.agent.run(&["backup", "--name", "mine"]).exits(1).mentions("s3:PutObject");

    invoke("Retention", json!({"action": "prune"}));
    invoke("Freshness", json!({"action": "measure"}));
    let (prune, health) =
        (bucket.get_json("backups/status/prune.json"), bucket.get_json("backups/status/freshness.json"));
    assert_eq!((&prune["vanished"], &prune["damaged"]), (&Value::Null, &Value::Null), "{prune}");
    let standing = health["standing"].to_string();
    assert!(
        !standing.contains("vanish") && !standing.contains("removed") && !standing.contains("good backup"),
        "{standing}"
    );
}
