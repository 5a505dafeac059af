//! Words of a command line that are files which it runs, by whatever way they got there.

use super::leaks::program;
use super::nested;
use super::shell::{Simple, literal};
use super::words::{SHELLS, runs_input};
use super::wrappers::unwrapped;
use crate::flow::UNKNOWN;
use crate::script;
use crate::tables::programs;

/// What a command line does with files.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// What is run, or made fit for it, as it is written.
    pub(crate) started: Vec<String>,
    /// What is copied or moved: from where, and to where.
    pub(crate) moved: Vec<(String, String)>,
    /// What is unpacked, and into which folder.
    pub(crate) unpacked: Vec<(String, String)>,
}

/// Reads a command line for that. Unknown pieces are marked.
pub(crate) fn run(line: &str) -> Run {
    let mut run = Run::default();
    for simple in nested::commands(line).pipelines.iter().flatten() {
        run.simple(simple);
    }
    run
}

impl Run {
    fn simple(&mut self, simple: &Simple) {
        let words = unwrapped(&simple.words);
        let Some((first, rest)) = words.split_first() else {
            return;
        };
        let name = program(first);
        self.started.push(literal(first));
        if runs(&name) {
            let mut before = "";
            for word in rest {
                // `--require=x`
                let value = word.split_once('=');
                let value = value.filter(|(option, value)| !is_setting(option, &literal(value)));
                self.started.extend(value.map(|(_, value)| literal(value)));
                let text = literal(word);
                if !is_setting(before, &text) {
                    self.started.push(text);
                }
                before = word;
            }
        }
        if runs_input(&name, rest) {
            let inputs = simple.inputs.iter();
            self.started.extend(inputs.map(|path| literal(path)));
        }
        let mut operands = rest.iter().filter(|word| !word.starts_with('-'));
        if matches!(
            &*name,
            "cp" | "mv" | "ln" | "install" | "copy" | "move" | "copy-item" | "move-item"
        ) {
            if let (Some(from), Some(to)) = (operands.next(), operands.next_back()) {
                self.moved.push((literal(from), literal(to)));
            }
            return;
        }
        let is_archiver = matches!(&*name, "tar" | "bsdtar" | "unzip" | "7z" | "7za" | "7zz");
        if is_archiver || &*name == "expand-archive" {
            let into = into(rest);
            let archives = operands.filter(|word| into.as_ref() != Some(word));
            if let Some(into) = &into {
                let pairs = archives.map(|archive| (literal(archive), literal(into)));
                self.unpacked.extend(pairs);
            }
        }
    }
}

/// Options of runtimes and of what starts programs behind which code stands.
const LOADERS: [&str; 5] = [
    "-r",
    "--require",
    "--import",
    "--loader",
    "--experimental-loader",
];

/// Whether what stands behind an option is read for the environment, as `.env` is behind `--env-file` or `-e`.
pub(crate) fn is_setting(option: &str, value: &str) -> bool {
    let name = value.rsplit(['/', '\\']).next().unwrap_or(value);
    let is_environment = name == ".env" || name.starts_with(".env.");
    let is_asked = matches!(option, "--env-file" | "--env-file-if-exists");
    is_asked || is_environment && option.starts_with('-') && !LOADERS.contains(&option)
}

/// Whether a program, by its name, runs files that it is given. One whose name is not known may.
fn runs(name: &str) -> bool {
    name.contains(UNKNOWN)
        || name.starts_with(['$', '%', '`'])
        || SHELLS.contains(&name)
        || script::of_program(name).is_some()
        || programs::runs_operands(name)
}

/// The folder into which an archive is unpacked, where that is said.
fn into(rest: &[String]) -> Option<&String> {
    let at = rest.iter().position(|word| {
        matches!(word.as_str(), "-C" | "-d" | "--directory")
            || word.eq_ignore_ascii_case("-destinationpath")
            || word.starts_with('-') && !word.starts_with("--") && word.ends_with('C')
    })?;
    rest.get(at + 1)
}

#[cfg(test)]
mod tests {
    use super::run;

    #[test]
    fn environments_are_settings_but_where_they_are_loaded() {
        for (line, runs) in [
            ("npx dotenv -e .env", false),
            ("node --config=.env.local a.js", false),
            ("node --require .env a.js", true),
            ("node .env", true),
            ("sh .env", true),
        ] {
            let run = run(line);
            let is_run = run.started.iter().any(|word| word.starts_with(".env"));
            assert_eq!(is_run, runs, "{line}: {run:?}");
        }
    }

    #[test]
    fn what_is_run_is_told_from_what_is_read() {
        for (line, runs) in [
            ("/tmp/x", true),
            ("/tmp/x --quiet", true),
            ("sh /tmp/x", true),
            ("sudo bash '/tmp/x'", true),
            ("node '/tmp/x'", true),
            ("python3 /tmp/x", true),
            ("php /tmp/x", true),
            ("java -jar /tmp/x", true),
            ("chmod +x /tmp/x", true),
            ("cmd.exe '/c' '/tmp/x'", true),
            ("powershell '-File' '/tmp/x'", true),
            ("powershell '-Command' 'Start-Process /tmp/x'", true),
            ("msiexec /i /tmp/x /qn", true),
            ("open '/tmp/x'", true),
            ("sh -c 'cd /tmp && /tmp/x'", true),
            ("sh < /tmp/x", true),
            ("node --require=/tmp/x a.js", true),
            ("\u{f8ff} '/tmp/x'", true),
            ("cd /tmp; nohup /tmp/x &", true),
            ("node --env-file=/tmp/x a.js", false),
            ("node --env-file /tmp/x a.js", false),
            ("node --env-file a.env /tmp/x", true),
            ("ffmpeg '-i' '/tmp/x' 'out.gif'", false),
            ("tar xzf /tmp/x -C vendor", false),
            ("unzip /tmp/x", false),
            ("cp /tmp/x /tmp/y", false),
            ("sh -c 'tar xzf /tmp/x'", false),
            ("convert '/tmp/x' 'y.png'", false),
            ("git apply /tmp/x", false),
            ("cat /tmp/x", false),
        ] {
            let run = run(line);
            let is_run = run.started.iter().any(|word| word == "/tmp/x");
            assert_eq!(is_run, runs, "{line}: {run:?}");
        }
    }

    #[test]
    fn copies_and_archives_are_told() {
        let unpacked = |line: &str| run(line).unpacked;
        let pair = ("/tmp/x".to_owned(), "/tmp/y".to_owned());
        assert!(unpacked("tar xzf /tmp/x -C /tmp/y").contains(&pair));
        assert!(unpacked("tar -xzf /tmp/x --strip 1 --directory /tmp/y").contains(&pair));
        assert!(unpacked("unzip -q '/tmp/x' -d '/tmp/y'").contains(&pair));
        assert!(unpacked("tar xzf /tmp/x").is_empty());
        assert_eq!(run("mv /tmp/x /tmp/y").moved, [pair]);
    }
}
