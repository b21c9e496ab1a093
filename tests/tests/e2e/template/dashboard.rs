//! The dashboard, read as CloudWatch reads it, and the metrics that it and the alarms show.

use std::collections::BTreeSet;

use e2e::tools;
use serde_json::Value;

use super::checks;
use super::loaded::template;

#[test]
fn dashboard_is_json_with_and_without_the_databases() {
    for per_database in [false, true] {
        let widgets = widgets(per_database);
        assert_eq!(widgets.len(), if per_database { 16 } else { 14 });
        for widget in &widgets {
            let right_edge = widget["x"].as_u64().unwrap() + widget["width"].as_u64().unwrap();
            assert!(right_edge <= 24, "wider than the page: {widget}");
        }
    }
}

#[test]
fn dashboard_shows_every_alarm() {
    let body = body();
    let optional =
        &template()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"][1]["Drill"]["Fn::If"];
    assert_eq!(optional, &serde_json::json!(["WithDrills", {"Fn::Sub": ", \"${DrillAlarm.Arn}\""}, ""]));
    let is_always = |(_, alarm): &(&str, &Value)| alarm["Condition"].is_null();
    for (name, _) in checks::resources(template(), "AWS::CloudWatch::Alarm").filter(is_always) {
        assert!(body.contains(&format!("\"${{{name}.Arn}}\"")), "{name} isn't shown");
    }
}

#[test]
fn ten_free_metrics_are_documented_and_each_is_shown() {
    let documented = documented();
    let but_those = |of: &str| -> BTreeSet<_> {
        documented.iter().filter(|(_, rest)| !rest.contains(of)).map(|(name, _)| name.clone()).collect()
    };
    let (free, published) = (but_those("only with "), but_those("only with Database"));
    assert_eq!((free.len(), published.len()), (10, 11));
    assert_eq!(shown(), free);
    for (name, alarm) in checks::resources(template(), "AWS::CloudWatch::Alarm") {
        let properties = &alarm["Properties"];
        if properties["Namespace"] == "Lastgood" {
            assert!(
                published.contains(properties["MetricName"].as_str().unwrap()),
                "{name} stands on a metric nobody publishes"
            );
            let dimensions = properties["Dimensions"].as_array().unwrap();
            assert_eq!(dimensions.len(), 1, "{name}: a template can't know databases");
            assert_eq!(dimensions[0]["Value"]["Fn::Sub"], "s3://${BucketName}/${Prefix}", "{name}");
        }
    }
}

fn body() -> &'static str {
    template()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"][0].as_str().unwrap()
}

/// The widgets, with 1 in place of whatever CloudFormation fills in.
fn widgets(per_database: bool) -> Vec<Value> {
    let choice =
        &template()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"][1]["PerDatabase"]["Fn::If"];
    let databases = if per_database { choice[1]["Fn::Sub"].as_str().unwrap() } else { choice[2].as_str().unwrap() };
    let mut rest =
        body().replace("${PerDatabase}", databases).replace("${Drill}", if per_database { ", \"drill\"" } else { "" });
    while let Some((before, (_, after))) =
        rest.split_once("${").and_then(|(before, after)| Some((before, after.split_once('}')?)))
    {
        rest = format!("{before}1{after}");
    }
    let dashboard: Value = serde_json::from_str(&rest).unwrap_or_else(|error| panic!("{error}:\n{rest}"));
    dashboard["widgets"].as_array().unwrap().clone()
}

/// Names of the repository-wide metrics on the dashboard.
fn shown() -> BTreeSet<String> {
    let widgets = widgets(false);
    let metrics = widgets.iter().filter_map(|widget| widget["properties"]["metrics"].as_array()).flatten();
    metrics.filter(|metric| metric[0] == "Lastgood").map(|metric| metric[1].as_str().unwrap().to_owned()).collect()
}

/// The metrics' table in `docs/cloud.md`: each name, and the rest of its row.
fn documented() -> Vec<(String, String)> {
    let page = std::fs::read_to_string(tools::root().join("docs/cloud.md")).unwrap();
    let rows = page
        .lines()
        .skip_while(|line| !line.starts_with("| metric |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let split = |row: &str| {
        row.trim_start_matches("| ").split_once(" | ").map(|(name, rest)| (name.to_owned(), rest.to_owned()))
    };
    rows.filter_map(split).collect()
}
