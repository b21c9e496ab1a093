//! One manual page. clap_mangen writes the parts that are the same everywhere; what a reader of manual pages looks for in its
//! own section is written here: a synopsis with values, examples as they are typed, exit statuses, files.

use std::io;

use clap::{Arg, ArgAction, Command};
use clap_mangen::Man;

/// What the global options stand under in each help.
const GLOBAL: &str = "Global options";

/// The files that every command reads or writes. docs/settings.md and docs/install.md say more.
const FILES: [(&str, &str); 6] = [
    ("./.env", "Settings, where there is such a file in the working folder."),
    ("/etc/lastgood.env", "Settings otherwise. It may hold passwords: mode 0600."),
    ("~/.config/lastgood/lastgood.toml", "Settings in TOML, with those of single databases."),
    ("/etc/lastgood.toml", "The same for all users."),
    ("/var/backups/lastgood", "The backups, where neither BACKUP_DIR nor BACKUP_S3_BUCKET is set."),
    ("/var/log/lastgood.log", "What was done, where BACKUP_LOG_FILE says nothing else."),
];

/// The page of a command, of a program that has the pages `names` beside its own.
///
/// # Errors
/// None but those of the writer, which is memory.
pub(super) fn page(command: &Command, names: &[String]) -> io::Result<String> {
    let man = Man::new(command.clone());
    let mut page = title(command).into_bytes();
    man.render_name_section(&mut page)?;
    page.extend_from_slice(synopsis(command).as_bytes());
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    page.extend_from_slice(ends(&help).as_bytes());
    page.extend_from_slice(files().as_bytes());
    page.extend_from_slice(see_also(command, names).as_bytes());
    Ok(tidy(&String::from_utf8_lossy(&page)))
}

/// Without a date: that of the build would make two builds of one version differ.
fn title(command: &Command) -> String {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let version = command.get_version().unwrap_or_default();
    format!(".TH \"{}\" 1 \"\" \"lastgood {version}\" \"Lastgood\"\n", typed(&name.to_uppercase()))
}

/// Every option of its own with its value.
fn synopsis(command: &Command) -> String {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let own = command.get_arguments().filter(|arg| !arg.is_hide_set() && arg.get_help_heading() != Some(GLOBAL));
    let own = own.filter(|arg| !matches!(arg.get_id().as_str(), "help" | "version"));
    let (operands, options): (Vec<&Arg>, Vec<&Arg>) = own.partition(|arg| arg.is_positional());
    let mut words = vec![format!("\\fB{}\\fR", typed(name)), "[\\fIglobal options\\fR]".to_owned()];
    words.extend(options.into_iter().chain(operands).map(word));
    if command.has_subcommands() {
        words.push("[\\fIcommand\\fR]".to_owned());
    }
    // Filled, and not spread over the line.
    format!(".SH SYNOPSIS\n.nh\n.ad l\n{}\n.ad\n.hy\n", words.join("\n"))
}

fn word(arg: &Arg) -> String {
    let takes_value = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    let value = arg.get_value_names().unwrap_or_default().join(" ");
    let value = if takes_value { format!("\\fI{}\\fR", typed(&value)) } else { String::new() };
    let more = if matches!(arg.get_action(), ArgAction::Append) { " ..." } else { "" };
    let word = match (arg.get_long(), arg.get_short()) {
        (Some(long), _) => format!("\\fB\\-\\-{}\\fR {value}", typed(long)),
        (None, Some(short)) => format!("\\fB\\-{short}\\fR {value}"),
        (None, None) => value,
    };
    let word = word.trim_end();
    if arg.is_required_set() { format!("{word}{more}") } else { format!("[{word}]{more}") }
}

/// What stands at the end of a help, each part in its own section.
fn ends(help: &str) -> String {
    let mut sections = String::new();
    let (mut notes, mut status) = (Vec::new(), None);
    for part in help.split("\n\n") {
        let (first, rest) = part.split_once('\n').unwrap_or((part, ""));
        match first {
            "Examples:" | "Example:" => sections.push_str(&format!(".SH EXAMPLES\n{}", verbatim(rest))),
            "Exit status:" => status = Some(verbatim(rest)),
            _ => match part.strip_prefix("Exit status: ") {
                Some(statuses) => status = Some(format!("{}\n", text(&sentence(statuses)))),
                None => notes.push(text(part)),
            },
        }
    }
    if !notes.is_empty() {
        sections.push_str(&format!(".SH NOTES\n{}\n", notes.join("\n.PP\n")));
    }
    sections + &status.map_or_else(String::new, |status| format!(".SH \"EXIT STATUS\"\n{status}"))
}

fn sentence(text: &str) -> String {
    text.replace('\n', " ")
}

/// Lines as they are typed. Indented less than text is: they fit into 80 columns so.
fn verbatim(lines: &str) -> String {
    let lines: Vec<String> = lines.lines().map(|line| text(&typed(line.strip_prefix("  ").unwrap_or(line)))).collect();
    format!(".nf\n.in 2\n{}\n.in\n.fi\n", lines.join("\n"))
}

fn files() -> String {
    let row = |(file, what): &(&str, &str)| format!(".TP\n\\fI{}\\fR\n{}\n", text(&typed(file)), text(what));
    format!(".SH FILES\n{}", FILES.iter().map(row).collect::<String>())
}

fn see_also(command: &Command, names: &[String]) -> String {
    let own = command.get_display_name().unwrap_or_else(|| command.get_name());
    let others = std::iter::once("lastgood").chain(names.iter().map(String::as_str)).filter(|name| *name != own);
    let others = others.chain(["pg_dump", "pg_restore"]);
    let others: Vec<String> = others.map(|name| format!("\\fB{}\\fR(1)", typed(name))).collect();
    format!(".SH \"SEE ALSO\"\n.nh\n.ad l\n{}\n", others.join(",\n"))
}

/// A text in which a hyphen is one that can be copied.
fn typed(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

/// A line that doesn't begin as a request does.
fn text(line: &str) -> String {
    let line = sentence(line);
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line }
}

/// Each part that clap_mangen writes begins with the same two lines: once is enough. And a break beside a space is one too many.
fn tidy(page: &str) -> String {
    const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";
    let page = page.replace(PREAMBLE, "").replace("\n.br\n\n.br\n", "\n.sp\n");
    format!("{PREAMBLE}{page}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_help_s_end_becomes_sections() {
        let help = "Examples:\n  lastgood list   list\n  0 3 * * * lastgood backup --quiet\n\nIt is so.\n\nExit status: 0 done, 1 failed.";
        let expected = ".SH EXAMPLES\n.nf\n.in 2\nlastgood list   list\n0 3 * * * lastgood backup \\-\\-quiet\n.in\n.fi\n\
                        .SH NOTES\nIt is so.\n.SH \"EXIT STATUS\"\n0 done, 1 failed.\n";
        assert_eq!(ends(help), expected);
    }

    #[test]
    fn no_line_of_text_is_a_request() {
        assert_eq!(text(".env is read"), "\\&.env is read");
        assert_eq!(verbatim("  'x' \\ -y"), ".nf\n.in 2\n\\&'x' \\e \\-y\n.in\n.fi\n");
    }
}
