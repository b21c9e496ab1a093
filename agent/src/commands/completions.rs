//! `lastgood completions`: a script that completes commands, flags, and by asking `lastgood complete` the names of backups,
//! databases and places.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::answers::failure::{Exit, Failure};
use crate::answers::report;
use crate::cli::{Cli, CompletionsArgs};

/// Names first; where there are none, what the generated function finds. Nothing that is printed is expanded again.
const BASH: &str = r#"
_lastgood_names() {
    local names
    mapfile -t names < <("${COMP_WORDS[0]}" complete "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[@]:0:COMP_CWORD}" 2>/dev/null)
    if ((${#names[@]})); then
        COMPREPLY=("${names[@]}")
    else
        _lastgood "$@"
    fi
}

if [[ ${BASH_VERSINFO[0]} -eq 4 && ${BASH_VERSINFO[1]} -ge 4 || ${BASH_VERSINFO[0]} -gt 4 ]]; then
    complete -F _lastgood_names -o nosort -o bashdefault -o default lastgood
else
    complete -F _lastgood_names -o bashdefault -o default lastgood
fi
"#;

/// In front of the generated script's end, with its function under another name.
const ZSH: &str = r#"
_lastgood() {
    local -a names
    names=(${(f)"$("$words[1]" complete "$words[CURRENT]" "${(@)words[1,CURRENT-1]}" 2>/dev/null)"})
    if (( $#names )); then
        compadd -V names -a names
    else
        _lastgood_flags "$@"
    fi
}

"#;
const ZSH_END: &str = "if [ \"$funcstack[1]\" = \"_lastgood\" ]; then";

const FISH: &str = r#"
function __fish_lastgood_names
    set -l typed (commandline -opc)
    $typed[1] complete (commandline -ct) $typed 2>/dev/null
end
# Where there are none, files are offered.
complete -c lastgood -k -f -n 'count (__fish_lastgood_names) >/dev/null' -a '(__fish_lastgood_names)'
for option in repository from to database
    complete -c lastgood -k -x -l $option -a '(__fish_lastgood_names)'
end
"#;

/// Prints the script for the chosen shell.
pub(crate) fn run(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "lastgood", &mut script);
    let script = with_names(args.shell, &String::from_utf8_lossy(&script));
    report::print(script.trim_end())?;
    Ok(Exit::Done)
}

/// The generated script, and what asks for names.
fn with_names(shell: Shell, script: &str) -> String {
    match shell {
        Shell::Bash => format!("{script}{BASH}"),
        Shell::Zsh => {
            script.replace("\n_lastgood() {", "\n_lastgood_flags() {").replace(ZSH_END, &format!("{ZSH}{ZSH_END}"))
        }
        Shell::Fish => format!("{script}{FISH}"),
        _ => script.to_owned(),
    }
}
