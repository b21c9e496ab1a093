//! Two texts line by line: what only the first has, and what only the second, in the order in which they stand.

/// Beyond this many pairs of lines nobody reads on, and looking for the shortest answer takes too long.
const MOST: usize = 4_000_000;

/// The lines of both that aren't in the other: those of the first with `- ` before them, those of the second with `+ `.
pub(super) fn differing(first: &str, second: &str) -> Vec<String> {
    let [first, second] = [first, second].map(|text| text.lines().map(str::trim_end).collect::<Vec<&str>>());
    let begin = first.iter().zip(&second).take_while(|(a, b)| a == b).count();
    let (first, second) = (first.get(begin..).unwrap_or_default(), second.get(begin..).unwrap_or_default());
    let end = first.iter().rev().zip(second.iter().rev()).take_while(|(a, b)| a == b).count();
    let first = first.get(..first.len() - end).unwrap_or_default();
    let second = second.get(..second.len() - end).unwrap_or_default();
    if first.len().saturating_mul(second.len()) > MOST {
        return removed(first).chain(added(second)).collect();
    }
    walk(first, second)
}

fn removed<'a>(lines: &'a [&str]) -> impl Iterator<Item = String> + 'a {
    lines.iter().map(|line| format!("- {line}"))
}

fn added<'a>(lines: &'a [&str]) -> impl Iterator<Item = String> + 'a {
    lines.iter().map(|line| format!("+ {line}"))
}

/// Along the longest sequence of lines that both have.
fn walk(first: &[&str], second: &[&str]) -> Vec<String> {
    let common = common(first, second);
    let at = |a: usize, b: usize| common.get(a).and_then(|row| row.get(b)).copied().unwrap_or(0);
    let (mut a, mut b, mut found) = (0, 0, Vec::new());
    loop {
        match (first.get(a), second.get(b)) {
            (Some(old), Some(new)) if old == new => (a, b) = (a + 1, b + 1),
            (Some(old), new) if new.is_none() || at(a + 1, b) >= at(a, b + 1) => {
                found.push(format!("- {old}"));
                a += 1;
            }
            (_, Some(new)) => {
                found.push(format!("+ {new}"));
                b += 1;
            }
            _ => return found,
        }
    }
}

/// Of each pair of ends, how many lines they have in common in their order.
fn common(first: &[&str], second: &[&str]) -> Vec<Vec<u32>> {
    let mut table = vec![vec![0_u32; second.len() + 1]];
    for old in first.iter().rev() {
        let below = table.last().cloned().unwrap_or_default();
        let mut row = vec![0_u32; second.len() + 1];
        for (b, new) in second.iter().enumerate().rev() {
            let [down, diagonal] = [below.get(b), below.get(b + 1)].map(|cell| cell.copied().unwrap_or(0));
            let right = row.get(b + 1).copied().unwrap_or(0);
            if let Some(cell) = row.get_mut(b) {
                *cell = if old == new { diagonal + 1 } else { down.max(right) };
            }
        }
        table.push(row);
    }
    table.reverse();
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told_and_in_its_order() {
        let old = "CREATE TABLE t (\n    id integer,\n    name text,\n    age integer\n);\n";
        let new = "CREATE TABLE t (\n    id bigint,\n    name text,\n    age integer,\n    x text\n);\n";
        assert_eq!(
            differing(old, new),
            ["-     id integer,", "+     id bigint,", "-     age integer", "+     age integer,", "+     x text"]
        );
        assert_eq!(differing(old, old), [""; 0]);
        assert_eq!(differing("", "a\nb\n"), ["+ a", "+ b"]);
        assert_eq!(differing("a\nb\n", ""), ["- a", "- b"]);
        assert_eq!(differing("a\nb\nc", "b\nc\na"), ["- a", "+ a"]);
    }

    #[test]
    fn texts_too_long_to_be_aligned_are_told_whole() {
        let text = |begin: u32| (begin..begin + 3_000).map(|line| format!("{line}\n")).collect::<String>();
        assert_eq!(differing(&text(0), &text(5_000)).len(), 6_000);
    }
}
