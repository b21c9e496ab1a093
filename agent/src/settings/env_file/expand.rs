//! What `${NAME}` and its kin in a value stand for: as compose, the shells and the dotenv libraries read them.

use std::collections::HashMap;

/// Where the value of a name comes from.
pub(super) struct Names<'a> {
    /// What the file has set so far.
    pub(super) known: &'a HashMap<String, String>,
    /// What is set outside of it.
    pub(super) outer: &'a dyn Fn(&str) -> Option<String>,
}

impl Names<'_> {
    fn get(&self, name: &str) -> Option<String> {
        self.known.get(name).cloned().or_else(|| (self.outer)(name))
    }
}

/// Replaces `${NAME}`, also with a default or a condition, and `$NAME` where the file has set it: any other `$` stays, because
/// passwords have them. `escapes`: those of double quotes are read as well.
pub(super) fn expand(text: &str, escapes: bool, names: &Names<'_>) -> Result<String, String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['$', '\\']) {
        let (plain, special) = rest.split_at_checked(at).unwrap_or((rest, ""));
        expanded.push_str(plain);
        if let Some(inside) = special.strip_prefix("${") {
            let (inside, after) =
                braces(inside).ok_or("`${` has no closing brace; use single quotes to keep it as it is")?;
            expanded.push_str(&braced(inside, names)?);
            rest = after;
            continue;
        }
        if let Some((value, after)) = bare(special, names) {
            expanded.push_str(value);
            rest = after;
            continue;
        }
        rest = character(special, escapes, &mut expanded);
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// A `$` that replaces nothing, or a backslash and what it escapes.
fn character<'a>(special: &'a str, escapes: bool, expanded: &mut String) -> &'a str {
    let mut characters = special.chars();
    match (characters.next(), characters.clone().next()) {
        (Some('\\'), Some(escaped)) if escapes && "nrt\"\\$".contains(escaped) => {
            characters.next();
            expanded.push(match escaped {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                other => other,
            });
        }
        (Some(plain), _) => expanded.push(plain),
        (None, _) => {}
    }
    characters.as_str()
}

/// `$NAME` of a name that stands in the same file, and what follows it.
fn bare<'a, 'b>(special: &'a str, names: &Names<'b>) -> Option<(&'b str, &'a str)> {
    let (name, after) = identifier(special.strip_prefix('$')?);
    Some((names.known.get(name)?, after))
}

/// A name at the beginning, and what follows it.
fn identifier(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// What stands before the brace that closes, and what stands after it.
fn braces(inside: &str) -> Option<(&str, &str)> {
    let mut depth = 1;
    for (at, character) in inside.char_indices() {
        match character {
            '{' if inside.get(..at)?.ends_with('$') => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((inside.get(..at)?, inside.get(at + 1..)?));
        }
    }
    None
}

/// `NAME`, `NAME:-default`, `NAME-default`, `NAME:?words`, `NAME:+instead` and the like, without their braces.
fn braced(inside: &str, names: &Names<'_>) -> Result<String, String> {
    let (name, how) = identifier(inside);
    let value = names.get(name);
    let (operator, word) = match how.strip_prefix(':') {
        Some(after) => (after, true),
        None => (how, false),
    };
    // With a colon an empty value counts as none.
    let value = value.filter(|value| !(word && value.is_empty()));
    let mut characters = operator.chars();
    let operator = characters.next();
    let otherwise = characters.as_str();
    match (operator, value) {
        (None, Some(value)) if !word => Ok(value),
        (Some('-' | '=' | '?'), Some(value)) => Ok(value),
        (Some('-' | '='), None) | (Some('+'), Some(_)) => expand(otherwise, false, names),
        (Some('+'), None) => Ok(String::new()),
        (None | Some('?'), None) if !name.is_empty() => {
            Err(format!("${{{}}} is not set here; use single quotes to keep it as it is", shown(name)))
        }
        _ => Err("a `${…}` in it is not understood; use single quotes to keep it as it is".into()),
    }
}

/// A variable's name. What looks like none may be part of a password.
fn shown(name: &str) -> &str {
    let is_name = name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    if is_name { name } else { "…" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_and_conditions_are_those_of_the_shells() {
        let known = HashMap::from([("A".to_owned(), "a".to_owned()), ("E".to_owned(), String::new())]);
        let names = Names { known: &known, outer: &|name| (name == "HOME").then(|| "/root".to_owned()) };
        let cases = [
            ("${A:-d} ${E:-d} ${N:-d}", Ok("a d d")),
            ("${A-d} ${E-d}. ${N-d}", Ok("a . d")),
            ("${A:+i} ${E:+i}. ${E+i} ${N+i}.", Ok("i . i .")),
            ("${N:-${M:-${A}}}/${N:-}", Ok("a/")),
            ("${A:?no} ${E?no}.", Ok("a .")),
            ("${HOME}/$HOME $A$Ab $A-b $$A 5$ $", Ok("/root/$HOME a$Ab a-b $a 5$ $")),
            ("${N:?words of hush}", Err("${N} is not set here; use single quotes to keep it as it is")),
            ("x${hush}y", Err("${…} is not set here; use single quotes to keep it as it is")),
            ("${A%x}", Err("a `${…}` in it is not understood; use single quotes to keep it as it is")),
            ("${}", Err("a `${…}` in it is not understood; use single quotes to keep it as it is")),
            ("${A", Err("`${` has no closing brace; use single quotes to keep it as it is")),
        ];
        for (text, expected) in cases {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(expand(text, false, &names), expected, "{text}");
        }
    }
}
