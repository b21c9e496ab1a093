//! What is in the live database, and stands in the way of a restore in place.

use postgres::database::objects::{Dependent, Locks, Member, Object, ObjectId, Objects};
use serde_json::json;

use super::{Case, entry, role};

/// The catalogs that objects of the cases are in.
const CATALOGS: [(&str, u32); 7] = [
    ("TABLE", 1259),
    ("VIEW", 1259),
    ("FUNCTION", 1255),
    ("TYPE", 1247),
    ("SCHEMA", 2615),
    ("EXTENSION", 3079),
    ("PUBLICATION", 6104),
];

fn id(kind: &str, oid: u32) -> ObjectId {
    let (_, class) = CATALOGS.iter().find(|(of, _)| *of == kind).unwrap();
    ObjectId { class: *class, oid }
}

fn object(oid: u32, kind: &str, name: &str, is_ours: bool) -> Object {
    let schema = if ["SCHEMA", "EXTENSION", "PUBLICATION"].contains(&kind) { "" } else { "public" };
    Object {
        id: id(kind, oid),
        kind: kind.to_owned(),
        schema: schema.to_owned(),
        name: name.to_owned(),
        owner: "shop".to_owned(),
        is_ours,
        droppable: is_ours,
        made_by_us: true,
        owned_by: None,
    }
}

/// `orders` is 1, `users` is 2.
pub(super) fn objects(is_ours: bool) -> Objects {
    let all = vec![object(1, "TABLE", "orders", is_ours), object(2, "TABLE", "users", is_ours)];
    Objects { all, ..Objects::default() }
}

/// What is in the way of a restore in place, asked for or chosen because nothing else is possible.
pub(in super::super) fn obstacles() -> Vec<(String, Case)> {
    let owner = || Case::usual().with_role((role("shop", false, false, 150_014), true));
    let found = |name: &str, objects: &dyn Fn(&mut Objects), case: &mut dyn FnMut(&mut Case)| {
        [("asked for", Case::usual().in_place()), ("chosen", owner())].map(|(how, given)| {
            let given = given.with(|c| {
                objects(c.facts.objects.as_mut().unwrap());
                case(c);
            });
            (format!("{name}, {how}"), given)
        })
    };
    let newer = |o: &mut Objects| o.all.push(object(3, "TABLE", "coupons", true));
    let others = |o: &mut Objects| o.all.iter_mut().for_each(|object| object.is_ours = false);
    let archived = |kind: &'static str, name: &'static str| {
        move |c: &mut Case| c.facts.head.contents.push(entry(5, kind, name, false))
    };
    // Something newer that hangs on what is replaced.
    let hanging = |words: &'static str, on: ObjectId| {
        move |o: &mut Objects| {
            o.all.push(object(4, "FUNCTION", "touch()", true));
            o.all.push(object(5, "TABLE", "newer", true));
            o.dependents.push(Dependent::new(id("TABLE", 5), on, words));
        }
    };
    let schema = |is_full: bool| {
        move |o: &mut Objects| {
            o.all.push(object(6, "SCHEMA", "app", true));
            if is_full {
                o.dependents.push(Dependent::new(id("TABLE", 5), id("SCHEMA", 6), "table app.newer"));
            }
        }
    };
    let published = |is_ours: bool| {
        move |o: &mut Objects| {
            let [publication, schema, name] = ["feed", "public", "orders"].map(str::to_owned);
            o.members.push(Member { publication_oid: 7, publication, oid: 1, schema, name, is_ours });
        }
    };
    let extension = |o: &mut Objects| o.all.push(object(8, "EXTENSION", "citext", false));
    let in_c = |o: &mut Objects| o.all.push(Object { made_by_us: false, ..object(4, "FUNCTION", "touch()", false) });
    [
        found("a view that the backup lacks", &hanging("view reporting.monthly", id("TABLE", 1)), &mut |_| {}),
        found(
            "a trigger whose function the backup has",
            &hanging("trigger touch on table public.newer", id("FUNCTION", 4)),
            &mut archived("FUNCTION", "touch()"),
        ),
        found("a full schema of the backup", &schema(true), &mut archived("SCHEMA", "app")),
        found("an empty schema of the backup", &schema(false), &mut archived("SCHEMA", "app")),
        found("a publication that the backup lacks", &published(true), &mut |_| {}),
        found("a publication of another role", &published(false), &mut |_| {}),
        found("an extension that is there", &extension, &mut |c| {
            c.facts.head.contents.push(entry(5, "EXTENSION", "citext", false));
        }),
        found("a function that only a superuser makes", &in_c, &mut archived("FUNCTION", "touch()")),
        found("a table that the backup lacks", &newer, &mut |_| {}),
        found("tables of another role", &others, &mut |_| {}),
        found("a table that a safety backup would fail at", &|_| {}, &mut |c| {
            c.facts.undumpable = serde_json::from_value(json!({
                "role": "shop", "quoted": "shop", "inherits": true, "version": 150_014, "schemas": [], "sequences": [],
                "tables": [{ "schema": "public", "name": "audit" }], "guarded": [], "large_objects": [], "large_object_count": 0
            }))
            .unwrap();
        }),
        found(
            "far more locks than the server has",
            &|o| o.locks.push(Locks { oid: 1, dropped: 9_000, made: 8_000 }),
            &mut |_| {},
        ),
        found("more locks than the server has", &|_| {}, &mut |c| {
            c.facts.head.contents.extend((10..2000).map(|id| entry(id, "TABLE", &format!("t{id}"), false)));
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}
